/* The snapshot that a user has made of this product on this machine, with hashes that nobody else knows. Later starts
 * by the same user go on from it instead of the one in the product's file. It lies in the product's directory of the
 * first cache that the environment names (COACHWHIP_CACHE_DIR, XDG_CACHE_HOME, HOME), never where users share one.
 */
#ifndef CW_MACHINE_H
#define CW_MACHINE_H

#include <stdbool.h>

#include "candidates.h"
#include "image.h"

#define CW_MACHINE_FILE "snapshot"

/* Where such a snapshot is looked for, and made; false when there is no such place, as in a setuid program. */
bool cw_machine_place(struct cw_candidate *place);

/* Whether there may be one: a single system call. */
bool cw_machine_has(const struct cw_candidate *place);

/* Maps the file behind a descriptor, which must be the user's alone. Nothing in it was checked. `*fault` tells why
 * there are no bytes. */
struct cw_bytes cw_machine_map(int fd, const char **fault);

/* Maps the snapshot for this start; no bytes and no fault when there is none. */
struct cw_bytes cw_machine_snapshot(const char **fault);

/* Gives the mapping back. */
void cw_machine_unmap(struct cw_bytes bytes);

#endif
