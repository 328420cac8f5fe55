#include "heap_blocks.h"

#include "heap_state.h"

/* Bits of a block's size that say something else: sizes are 8 more than a multiple of 16. */
static const size_t FREE = 1;           /* this block */
static const size_t BEFORE_IS_FREE = 2; /* the block below, whose start stands in `before` */
static const size_t FOREIGN = 4;        /* no block at all, see heap_pages.c */
static const size_t FLAGS = 7;

/* A block and, while it is free, its neighbours in its list. `before` belongs to the payload of the block below unless
 * that one is free. */
struct cw_block {
    struct cw_block *before;
    size_t size; /* of the payload */
    struct cw_block *next, *previous;
};

enum { OVERHEAD = 16 }; /* from the start of a block to its payload */

static struct cw_block *block_of(const void *payload)
{
    return (struct cw_block *)((uintptr_t)payload - OVERHEAD);
}

static void *payload_of(const struct cw_block *block)
{
    return (char *)(uintptr_t)block + OVERHEAD;
}

static size_t size_of(const struct cw_block *block)
{
    return block->size & ~FLAGS;
}

/* The block above overlaps the end of a payload by its `before`. */
static struct cw_block *above(const struct cw_block *block)
{
    return (struct cw_block *)((char *)payload_of(block) + size_of(block) - CW_BLOCK_HEAD);
}

static void set_size(struct cw_block *block, size_t size)
{
    block->size = size | (block->size & FLAGS);
}

static unsigned highest_bit(size_t size)
{
    return 63u - (unsigned)__builtin_clzll(size);
}

/* Which list a free block of a size is in. */
static void list_of(size_t size, unsigned *first, unsigned *second)
{
    if (size < CW_LINEAR) {
        *first = 0;
        *second = (unsigned)(size / CW_ALIGN);
        return;
    }
    unsigned bit = highest_bit(size);
    *second = (unsigned)(size >> (bit - CW_SECOND_BITS)) - CW_SECOND;
    *first = bit - CW_LINEAR_BITS + 1;
}

static void link_free(struct cw_block *block)
{
    unsigned first, second;
    list_of(size_of(block), &first, &second);
    struct cw_block **list = &cw_heap.lists[first][second];
    block->previous = NULL;
    block->next = *list;
    if (*list)
        (*list)->previous = block;
    *list = block;
    cw_heap.firsts |= (uint64_t)1 << first;
    cw_heap.seconds[first] |= 1u << second;
}

static void unlink_free(struct cw_block *block)
{
    unsigned first, second;
    list_of(size_of(block), &first, &second);
    if (block->next)
        block->next->previous = block->previous;
    if (block->previous) {
        block->previous->next = block->next;
        return;
    }
    cw_heap.lists[first][second] = block->next;
    if (block->next)
        return;
    cw_heap.seconds[first] &= ~(1u << second);
    if (!cw_heap.seconds[first])
        cw_heap.firsts &= ~((uint64_t)1 << first);
}

static void mark_free(struct cw_block *block)
{
    struct cw_block *next = above(block);
    block->size |= FREE;
    next->size |= BEFORE_IS_FREE;
    next->before = block;
    link_free(block);
}

static void mark_used(struct cw_block *block)
{
    block->size &= ~FREE;
    above(block)->size &= ~BEFORE_IS_FREE;
}

/* Of a block that is no more: what was never used stays zero but for this, and a second free() is noticed. */
static void clear_head(struct cw_block *block)
{
    block->before = NULL;
    block->size = 0;
}

/* Has a block, which will be free, extend over the free one above it. */
static void absorb(struct cw_block *block, struct cw_block *next)
{
    unlink_free(next);
    set_size(block, size_of(block) + size_of(next) + CW_BLOCK_HEAD);
    clear_head(next);
    next->next = next->previous = NULL;
}

/* Cuts a block that is in use, and in no list, down to `size`; what is left over becomes free. */
static void trim(struct cw_block *block, size_t size)
{
    size_t rest = size_of(block) - size;
    if (rest < CW_SMALLEST + CW_BLOCK_HEAD)
        return;
    set_size(block, size);
    struct cw_block *left = above(block);
    left->size = rest - CW_BLOCK_HEAD;
    struct cw_block *next = above(left);
    if (next->size & FREE)
        absorb(left, next);
    mark_free(left);
}

/* The first block of a list that holds only blocks which are large enough. */
static struct cw_block *find(size_t size)
{
    unsigned first, second;
    size_t wanted = size;
    if (size >= CW_LINEAR)
        wanted += ((size_t)1 << (highest_bit(size) - CW_SECOND_BITS)) - 1;
    list_of(wanted, &first, &second);
    if (first >= CW_FIRST)
        return NULL;
    uint32_t seconds = cw_heap.seconds[first] & (~0u << second);
    if (!seconds) {
        uint64_t firsts = cw_heap.firsts & (~(uint64_t)0 << first << 1);
        if (!firsts)
            return NULL;
        first = (unsigned)__builtin_ctzll(firsts);
        seconds = cw_heap.seconds[first];
    }
    return cw_heap.lists[first][__builtin_ctz(seconds)];
}

size_t cw_block_size(const void *payload)
{
    if ((uintptr_t)payload % CW_ALIGN)
        return 0;
    const struct cw_block *block = block_of(payload);
    size_t size = size_of(block);
    bool possible = !(block->size & (FREE | FOREIGN)) && size >= CW_SMALLEST && size % CW_ALIGN == CW_BLOCK_HEAD;
    return possible ? size : 0;
}

/* Payloads end where the next block's size begins, so that all of them are 8 below a multiple of 16. */
size_t cw_block_round(size_t size)
{
    if (size <= CW_SMALLEST)
        return CW_SMALLEST;
    if (size > (size_t)1 << (CW_LINEAR_BITS + CW_FIRST - 2))
        return 0;
    return ((size + CW_BLOCK_HEAD + CW_ALIGN - 1) & ~(size_t)(CW_ALIGN - 1)) - CW_BLOCK_HEAD;
}

void *cw_block_take(size_t size)
{
    struct cw_block *block = find(size);
    if (!block)
        return NULL;
    unlink_free(block);
    mark_used(block);
    trim(block, size);
    return payload_of(block);
}

void *cw_block_take_aligned(size_t alignment, size_t size)
{
    const size_t room = CW_SMALLEST + CW_BLOCK_HEAD; /* for a free block in front */
    size_t wanted = cw_block_round(size + alignment + room);
    char *payload = wanted ? cw_block_take(wanted) : NULL;
    if (!payload)
        return NULL;
    struct cw_block *block = block_of(payload);
    char *aligned = (char *)(((uintptr_t)payload + alignment - 1) & ~(uintptr_t)(alignment - 1));
    if (aligned != payload && (size_t)(aligned - payload) < room)
        aligned += alignment;
    if (aligned != payload) {
        struct cw_block *front = block;
        size_t gap = (size_t)(aligned - payload);
        block = block_of(aligned);
        block->size = size_of(front) - gap;
        set_size(front, gap - CW_BLOCK_HEAD);
        cw_block_give(payload);
    }
    trim(block, size);
    return aligned;
}

size_t cw_block_give(void *payload)
{
    struct cw_block *block = block_of(payload);
    struct cw_block *next = above(block);
    if (next->size & FREE)
        absorb(block, next);
    if (block->size & BEFORE_IS_FREE) {
        struct cw_block *before = block->before;
        unlink_free(before);
        set_size(before, size_of(before) + size_of(block) + CW_BLOCK_HEAD);
        clear_head(block);
        block = before;
    }
    mark_free(block);
    return size_of(block);
}

bool cw_block_resize(void *payload, size_t size)
{
    struct cw_block *block = block_of(payload);
    if (size > size_of(block)) {
        struct cw_block *next = above(block);
        if (!(next->size & FREE) || size_of(block) + size_of(next) + CW_BLOCK_HEAD < size)
            return false;
        unlink_free(next);
        set_size(block, size_of(block) + size_of(next) + CW_BLOCK_HEAD);
        mark_used(block);
    }
    trim(block, size);
    return true;
}

/* A pool ends with the head of a block without payload, which is always in use. */
void cw_block_add_pool(void *from, size_t size)
{
    struct cw_block *block = from;
    if (from == cw_heap.pools_end) {
        block = block_of(from); /* the end of the pool below becomes the head of a block */
        set_size(block, size - CW_BLOCK_HEAD);
    } else {
        block->size = size - OVERHEAD - CW_BLOCK_HEAD;
        cw_heap.untouched = (uintptr_t)payload_of(block);
    }
    cw_heap.pools_end = (char *)from + size;
    above(block)->size = 0;
    (void)cw_block_give(payload_of(block));
}

void cw_block_each_free(size_t least, void (*visit)(void *from, size_t size))
{
    for (unsigned first = CW_FIRST; first-- > 0;)
        for (unsigned second = 0; second < CW_SECOND; second++)
            for (struct cw_block *block = cw_heap.lists[first][second]; block; block = block->next) {
                char *from = (char *)(block + 1), *end = (char *)above(block);
                if (size_of(block) >= least && end > from)
                    visit(from, (size_t)(end - from));
            }
}

void cw_block_close_gaps(size_t most)
{
    for (unsigned first = 0; first < CW_FIRST; first++)
        for (unsigned second = 0; second < CW_SECOND; second++)
            for (struct cw_block *block = cw_heap.lists[first][second], *next; block; block = next) {
                next = block->next;
                if (size_of(block) > most || (uintptr_t)above(block) > cw_heap.untouched)
                    continue;
                unlink_free(block);
                mark_used(block);
            }
}
