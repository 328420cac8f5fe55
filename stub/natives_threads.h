/* Pools of threads in native libraries, which are as large as the machine has processors. */
#ifndef CW_NATIVES_THREADS_H
#define CW_NATIVES_THREADS_H

#include "natives.h"

/* Notes the variables that such a library reads from the environment, as if it had called getenv for each: some go
 * through all variables instead. Called for every library that is loaded. */
void cw_threads_note_variables(const struct cw_native *native);

/* Before a snapshot: notes which of the loaded libraries have such pools, and how many processors there are. */
void cw_threads_save(void);

/* In a process that goes on: has the pools be as large as they would be had the libraries been loaded now. */
void cw_threads_restore(void);

#endif
