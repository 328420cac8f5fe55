/* The program's memory: the malloc family for libpython, the app's libraries and libc alike, from a region at a fixed
 * address, so that a snapshot can save it and a later process go on with it. */
#ifndef CW_HEAP_H
#define CW_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* 64 GiB: above all that is linked, below the half of the smallest address spaces of Linux on 64-bit machines. */
#define CW_HEAP_BASE ((char *)0x1000000000)
#define CW_ARENA_BASE ((char *)0x1800000000)

/* From now on memory comes from the region; before, from a place that is never part of a snapshot. To be called once,
 * by the first thread, when the heap's state is what it shall be. */
void cw_heap_open(void);

/* Whether blocks of all sizes are to be in the region, for a snapshot. */
void cw_heap_keep_all(bool keep);
bool cw_heap_keeps_all(void);

/* Maps `size` bytes, whole pages, for arenas of CPython's small objects; NULL when there is no memory. */
void *cw_heap_arena(size_t size);
void cw_heap_arena_free(void *arena, size_t size);
bool cw_heap_is_arena(const void *memory);

/* Makes everything that is free read as zero. From now on small gaps between blocks stay empty, so that who goes on with
 * this memory does not copy a page for each. */
void cw_heap_scrub(void);

#endif
