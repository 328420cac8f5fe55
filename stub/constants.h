/* What differs from run to run: counted, and held constant while a snapshot is made, so that the same program gives the
 * same snapshot. Nothing of it may matter later: modules that ask for it are not part of snapshots, and what CPython
 * itself has asked for is made new when a process goes on. */
#ifndef CW_CONSTANTS_H
#define CW_CONSTANTS_H

#include <stddef.h>
#include <sys/types.h>

/* How often the time of day was asked for, the kernel for randomness, and which time of day it is in this time zone. */
unsigned long cw_clock_reads(void);
unsigned long cw_random_reads(void);
unsigned long cw_zone_reads(void);

/* getrandom(2) of native libraries. */
ssize_t cw_random(void *to, size_t size, unsigned flags);

/* From now on time and the process's number are always the same. */
void cw_hold_constant(void);

/* The same for randomness; not where a snapshot is only for the machine that it is made on. */
void cw_hold_randomness(void);

#endif
