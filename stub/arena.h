#ifndef CW_ARENA_H
#define CW_ARENA_H

/* Has CPython's small objects live in huge pages where the kernel has them: a start touches a thousand pages
 * otherwise, each for the first time, which takes a noticeable part of it. Call before CPython is initialised. */
void cw_use_huge_arenas(void);

/* To be called once per process, when the program's state is what it shall be: a fork finds what arenas are taken from
 * in order. */
void cw_arenas_open(void);

/* Has the next arenas not be made of huge pages: what goes on from a snapshot may need little more than it has. */
void cw_arenas_start_small(void);

#endif
