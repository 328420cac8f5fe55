/* Making a snapshot: the program imports its modules and is saved. */
#ifndef CW_BAKE_H
#define CW_BAKE_H

/* The file that a snapshot is to be written to, from the environment's COACHWHIP_BAKE; NULL when none is wished. */
const char *cw_bake_wish(void);

/* Imports what the plan in COACHWHIP_BAKE_PLAN says, after CPython has been initialised, saves the program and ends the
 * process. */
_Noreturn void cw_bake(const char *path);

#endif
