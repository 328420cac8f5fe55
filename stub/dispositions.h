/* What signals do: the kernel's knowledge, noted for a snapshot. */
#ifndef CW_DISPOSITIONS_H
#define CW_DISPOSITIONS_H

/* Has all signals do what they do by default, and blocks none: what whoever started this process ignores must not be
 * ignored by a program that goes on from its memory. */
void cw_dispositions_reset(void);

/* Notes which signals are ignored or handled. */
void cw_dispositions_save(void);

/* Has them be ignored or handled again, as CPython does when it starts: SIGINT stays ignored where the caller has
 * it so. Python's own table follows what this process has inherited. */
void cw_dispositions_restore(void);

#endif
