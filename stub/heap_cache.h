/* A few small free blocks for each thread, which it takes and gives without a lock. */
#ifndef CW_HEAP_CACHE_H
#define CW_HEAP_CACHE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CW_CACHE_CLASSES = 64,
    CW_CACHED = 16 * CW_CACHE_CLASSES + 8, /* the largest payload that is kept */
};

/* A block of exactly this rounded size; NULL when there is none. */
void *cw_cache_take(size_t size);

/* Keeps a block of this size; false when it has to go back to the heap. */
bool cw_cache_give(void *payload, size_t size);

/* Marks the calling thread as the one whose blocks are never given back at its end. */
void cw_cache_keep(void);

/* Gives the calling thread's blocks back to the heap. */
void cw_cache_flush(void);

/* Gives a block back to the heap, past the cache; heap.c's. */
void cw_heap_give(void *payload);

#endif
