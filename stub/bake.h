/* Making a snapshot: the program imports its modules and is saved. */
#ifndef CW_BAKE_H
#define CW_BAKE_H

#define CW_BAKE_VARIABLE "COACHWHIP_BAKE"
/* What the variable's value begins with where the snapshot is for this machine. */
#define CW_BAKE_HERE "fd:"

/* The plan for it, a file that the environment's COACHWHIP_BAKE names; NULL when none is to be made. */
const char *cw_bake_plan(void);

/* The descriptor of the file that it goes to where it is for this machine, by the plan in the product's own snapshot;
 * else -1. */
int cw_bake_here(void);

/* To be called before memory is allocated. May start the program again, at addresses that are always the same. */
void cw_bake_begin(char **argv);

/* Does what the plan says, after CPython has been initialised. Saves the program and ends the process, or returns: then
 * the app is to run. */
void cw_bake(const char *plan);

#endif
