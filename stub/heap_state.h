/* What the heap knows of its memory. All of it is part of a snapshot. */
#ifndef CW_HEAP_STATE_H
#define CW_HEAP_STATE_H

#include <stddef.h>
#include <stdint.h>

/* Free blocks of CW_LINEAR bytes and more are kept in lists by their size's highest bit, and CW_SECOND lists for
 * each. */
enum {
    CW_LINEAR_BITS = 8,
    CW_LINEAR = 1 << CW_LINEAR_BITS,
    CW_SECOND_BITS = 4,
    CW_SECOND = 1 << CW_SECOND_BITS,
    CW_FIRST = 32,
};

struct cw_block;

struct cw_heap_state {
    uint64_t firsts; /* a bit for each first-level list that has a block */
    uint32_t seconds[CW_FIRST];
    struct cw_block *lists[CW_FIRST][CW_SECOND];
    void *pools_end;     /* of the last pool */
    uintptr_t untouched; /* from here to there nothing but the links of a free block was ever written */
    size_t idle;         /* bytes that are free and whose pages the kernel has not got back, at most */
    char *region_end;    /* of the mapped part of the heap's region */
    char *arenas_end;    /* of the mapped part of the arenas' region */
};

extern struct cw_heap_state cw_heap;

#endif
