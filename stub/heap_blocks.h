/* The blocks of the heap: which bytes of the pools are in use. Two-level segregated fit (M. Masmano and others, "TLSF:
 * a new dynamic memory allocator for real-time systems", 2004): finding, splitting and joining take constant time.
 * Not thread-safe. */
#ifndef CW_HEAP_BLOCKS_H
#define CW_HEAP_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CW_ALIGN = 16,      /* of all payloads */
    CW_BLOCK_HEAD = 8,  /* bytes before a payload */
    CW_SMALLEST = 24,   /* payload bytes: the links of a free block and what the block above writes */
};

/* Payload bytes; 0 when `payload` can't be one. */
size_t cw_block_size(const void *payload);

/* Payload bytes that a request is rounded up to; 0 when it is too large for any pool. */
size_t cw_block_round(size_t size);

/* A block of at least `size` rounded bytes, NULL when no pool has one. */
void *cw_block_take(size_t size);

/* The same at an alignment, which is a power of two above CW_ALIGN. */
void *cw_block_take_aligned(size_t alignment, size_t size);

/* Gives a block back; returns the size of the free block that it has become part of. */
size_t cw_block_give(void *payload);

/* Changes a block's size where it stands; false when what follows it is in use. */
bool cw_block_resize(void *payload, size_t size);

/* Makes memory at `from`, which is CW_ALIGN aligned, part of the heap; it joins a pool that ends there. */
void cw_block_add_pool(void *from, size_t size);

/* Has free blocks of at most `most` bytes pass for blocks in use, for ever; not the last one of the heap. */
void cw_block_close_gaps(size_t most);

/* Calls `visit` for what nobody uses of free blocks of at least `least` bytes. */
void cw_block_each_free(size_t least, void (*visit)(void *from, size_t size));

#endif
