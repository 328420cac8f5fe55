#define _GNU_SOURCE 1
#include "heap_pages.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "fixed.h"
#include "heap.h"
#include "heap_blocks.h"
#include "heap_state.h"

#include "live.h"

/* Below this a block comes from the pools, where it can be had again without page faults; glibc's threshold grows
 * up to the same. */
static const size_t LARGE = (size_t)32 << 20;
/* Bytes that may be free before the kernel gets them back, and for how many seconds: what a loop needs again and again
 * is worth keeping, but not if it is very much, and half of all. */
static const size_t IDLE = (size_t)32 << 20;
static const size_t MUCH = (size_t)128 << 20;
enum { PATIENCE = 1 };
static const size_t LEAST_GIVEN_BACK = (size_t)64 << 10;
static const size_t LEAST_GROWTH = (size_t)1 << 20;
/* Growth from which on page faults are worth saving by huge pages. */
static const size_t HUGE = (size_t)8 << 20;
static const size_t MOST_GROWTH = (size_t)64 << 20;
/* Of what is free between blocks, this much is not worth a page that is copied for it; all gaps of a snapshot are about
 * a hundredth of its heap. */
static const size_t LARGEST_GAP = (size_t)16 << 10;
/* Set in the size of a block that has a mapping of its own. */
static const size_t MAPPED = 4;

/* What stands before the payload of such a block; cw_block_size reads the same last word. */
struct mapping {
    void *start;
    size_t size; /* of the payload, and MAPPED */
};

static bool keep_all;
static time_t last_given_back;

void cw_heap_keep_all(bool keep)
{
    keep_all = keep;
}

bool cw_heap_keeps_all(void)
{
    return keep_all;
}

bool cw_heap_is_arena(const void *memory)
{
    return (const char *)memory >= CW_ARENA_BASE && (const char *)memory < cw_heap.arenas_end;
}

static void *map_anywhere(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

/* More memory of a region where it ends, or anywhere when others have taken the place. */
static void *extend(char **end, char *base, size_t size)
{
    char *wish = *end ? *end : base;
    int result = cw_map_fixed(wish, size, PROT_READ | PROT_WRITE, 0);
    if (result == -ENOMEM) {
        errno = ENOMEM;
        return NULL;
    }
    if (result < 0) /* taken, or refused by a filter of system calls */
        return map_anywhere(size);
    *end = wish + size;
    return wish;
}

void cw_pages_note_use(size_t size)
{
    cw_heap.idle -= size < cw_heap.idle ? size : cw_heap.idle;
}

static size_t mapped_size(void)
{
    return cw_heap.region_end ? (size_t)(cw_heap.region_end - CW_HEAP_BASE) : 0;
}

bool cw_pages_grow(size_t size)
{
    size_t growth = mapped_size() / 4;
    if (growth < LEAST_GROWTH)
        growth = LEAST_GROWTH;
    if (growth > MOST_GROWTH)
        growth = MOST_GROWTH;
    /* A list's largest blocks need not fit what is looked for in it: an eighth more is enough for all. */
    size_t least = size + size / 8 + CW_PAGE;
    size_t wanted = ((least > growth ? least : growth) + LEAST_GROWTH - 1) & ~(LEAST_GROWTH - 1);
    void *at = extend(&cw_heap.region_end, CW_HEAP_BASE, wanted);
    if (!at && wanted > least) {
        wanted = (least + CW_PAGE - 1) & ~(size_t)(CW_PAGE - 1);
        at = extend(&cw_heap.region_end, CW_HEAP_BASE, wanted);
    }
    if (at && wanted >= HUGE)
        madvise(at, wanted, MADV_HUGEPAGE);
    if (at)
        cw_block_add_pool(at, wanted);
    return at;
}

/* The whole pages of a part of memory. */
static void give_back(void *from, size_t size)
{
    uintptr_t first = ((uintptr_t)from + CW_PAGE - 1) & ~(uintptr_t)(CW_PAGE - 1);
    uintptr_t last = ((uintptr_t)from + size) & ~(uintptr_t)(CW_PAGE - 1);
    if (last > first)
        madvise((void *)first, last - first, MADV_DONTNEED);
}

static void clear(void *from, size_t size)
{
    memset(from, 0, size);
    give_back(from, size);
}

void cw_pages_note_free(size_t size, size_t joined)
{
    cw_heap.idle += size;
    if (cw_heap.idle < IDLE || joined < LEAST_GIVEN_BACK)
        return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    bool is_much = cw_heap.idle >= MUCH && cw_heap.idle >= mapped_size() / 2;
    if (!is_much && now.tv_sec <= last_given_back + PATIENCE)
        return;
    last_given_back = now.tv_sec;
    cw_heap.idle = 0;
    cw_block_each_free(LEAST_GIVEN_BACK, give_back);
}

void cw_heap_scrub(void)
{
    cw_block_each_free(0, clear);
    cw_block_close_gaps(LARGEST_GAP);
}

bool cw_pages_is_large(size_t size)
{
    return size >= LARGE && !keep_all;
}

static struct mapping *mapping_of(const void *payload)
{
    return (struct mapping *)((uintptr_t)payload - sizeof(struct mapping));
}

/* Bytes from the start of the mapping to its last page's end. */
static size_t whole_size(const void *payload, size_t size)
{
    size_t head = (size_t)((const char *)payload - (const char *)mapping_of(payload)->start);
    return (head + size + CW_PAGE - 1) & ~(size_t)(CW_PAGE - 1);
}

void *cw_pages_map(size_t alignment, size_t size)
{
    size_t gap = alignment > CW_PAGE ? alignment : CW_PAGE;
    size_t all = (size + gap + CW_PAGE - 1) & ~(size_t)(CW_PAGE - 1);
    char *start = map_anywhere(all);
    if (!start)
        return NULL;
    char *payload = (char *)(((uintptr_t)start + CW_PAGE + alignment - 1) & ~(uintptr_t)(alignment - 1));
    if (alignment <= CW_PAGE)
        payload = start + CW_PAGE;
    *mapping_of(payload) = (struct mapping){start, size | MAPPED};
    size_t whole = whole_size(payload, size);
    if (whole < all)
        munmap(start + whole, all - whole);
    return payload;
}

/* Whatever is handed to free() may be asked: more than one bit has to be right. */
bool cw_pages_is_mapped(const void *payload)
{
    const struct mapping *mapping = mapping_of(payload);
    return (uintptr_t)payload % CW_ALIGN == 0 && (mapping->size & (CW_ALIGN - 1)) == (MAPPED | CW_BLOCK_HEAD)
        && (uintptr_t)mapping->start % CW_PAGE == 0 && (uintptr_t)mapping->start < (uintptr_t)payload;
}

size_t cw_pages_mapped_size(const void *payload)
{
    return mapping_of(payload)->size & ~MAPPED;
}

void *cw_pages_remap(void *payload, size_t size)
{
    char *start = mapping_of(payload)->start;
    size_t head = (size_t)((char *)payload - start);
    size_t old = whole_size(payload, cw_pages_mapped_size(payload));
    char *moved = mremap(start, old, whole_size(payload, size), MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        return NULL;
    *mapping_of(moved + head) = (struct mapping){moved, size | MAPPED};
    return moved + head;
}

void cw_pages_unmap(void *payload)
{
    munmap(mapping_of(payload)->start, whole_size(payload, cw_pages_mapped_size(payload)));
}

void *cw_heap_arena(size_t size)
{
    return extend(&cw_heap.arenas_end, CW_ARENA_BASE, size);
}

void cw_heap_arena_free(void *arena, size_t size)
{
    /* While a snapshot is made the region stays in one piece. */
    if (keep_all)
        madvise(arena, size, MADV_DONTNEED);
    else
        munmap(arena, size);
}
