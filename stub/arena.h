#ifndef CW_ARENA_H
#define CW_ARENA_H

/* Has CPython's small objects live in huge pages where the kernel has them: a start touches a thousand pages
 * otherwise, each for the first time, which takes a noticeable part of it. Call before CPython is initialised. */
void cw_use_huge_arenas(void);

#endif
