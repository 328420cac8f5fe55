/* When a snapshot may be used: where it makes no difference to what the program does. */
#ifndef CW_GATES_H
#define CW_GATES_H

#include <stdbool.h>

#include "start.h"

/* Why this process has to start the ordinary way, as far as its environment says; NULL when nothing speaks against its
 * snapshot. Sets the locale of characters as the environment has it. */
const char *cw_snapshot_obstacle(const struct cw_start *start);

/* Whether no other snapshot than one made on this machine is wanted, by COACHWHIP_SNAPSHOT=machine: its hashes are
 * nobody else's. */
bool cw_snapshot_only_of_machine(void);

/* Whether the build has chosen UTF-8 mode: 1 on, 0 off, -1 as the locale says. */
int cw_chosen_utf8_mode(void);

/* Whether the user wants to know, by COACHWHIP_WHY=1. */
bool cw_snapshot_wants_reason(void);

#endif
