#define _GNU_SOURCE 1
#include "heap.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "heap_blocks.h"
#include "heap_cache.h"
#include "heap_early.h"
#include "heap_pages.h"
#include "heap_state.h"
#include "next.h"
#include "say.h"

#include "live.h"

enum { ZEROED_HEAD = 16 }; /* of a payload, what may have been a free block's links */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_open;
/* libc's word on whether there is only one thread, which nobody has to be locked out for; from glibc 2.32 on. Without
 * a value of its own, as initialised variables are part of snapshots. */
static const char *is_alone;

/* Tells whether the heap has to be unlocked again. */
static bool lock_heap(void)
{
    if (is_alone && *is_alone)
        return false;
    pthread_mutex_lock(&lock);
    return true;
}

static void unlock_heap(bool locked)
{
    if (locked)
        pthread_mutex_unlock(&lock);
}

/* Around a fork the lock is taken in any case: handlers of others may start threads. */
static void lock_for_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void unlock_in_parent(void)
{
    pthread_mutex_unlock(&lock);
}

static void unlock_in_child(void)
{
    pthread_mutex_init(&lock, NULL);
}

/* Looking in vain is to be avoided: what libc then remembers of it lies in memory that a snapshot may take. */
static bool libc_counts_threads(void)
{
    enum { MAJOR = 2, MINOR = 32 };
    char *rest;
    unsigned long major = strtoul(gnu_get_libc_version(), &rest, 10);
    return major > MAJOR || (major == MAJOR && *rest == '.' && strtoul(rest + 1, NULL, 10) >= MINOR);
}

void cw_heap_open(void)
{
    is_open = true;
    cw_cache_keep();
    static void *_Atomic alone;
    if (libc_counts_threads())
        is_alone = cw_next(&alone, "__libc_single_threaded", NULL);
    pthread_atfork(lock_for_fork, unlock_in_parent, unlock_in_child);
}

_Noreturn static void die(const char *what)
{
    cw_say("memory", "%s", what);
    abort();
}

/* Payload bytes of what the app hands back. */
static size_t checked_size(const void *payload)
{
    size_t size = cw_block_size(payload);
    if (!size)
        die("a pointer that was not allocated, or was freed already, is used as one");
    return size;
}

/* A block from the pools, which grow for it if they must; with the lock held. */
static void *take(size_t alignment, size_t size)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        void *payload = alignment > CW_ALIGN ? cw_block_take_aligned(alignment, size) : cw_block_take(size);
        if (payload)
            cw_pages_note_use(cw_block_size(payload));
        if (payload || attempt || !cw_pages_grow(size + (alignment > CW_ALIGN ? alignment : 0)))
            return payload;
    }
    return NULL;
}

/* Notes that a block is in use now; tells whether it has never been before. Only the last pool has such memory. */
static bool touch(void *payload)
{
    uintptr_t end = (uintptr_t)payload + cw_block_size(payload) + CW_BLOCK_HEAD;
    bool is_new = (uintptr_t)payload >= cw_heap.untouched && payload < cw_heap.pools_end;
    if (end > cw_heap.untouched && payload < cw_heap.pools_end)
        cw_heap.untouched = end;
    return is_new;
}

static void *allocate(size_t alignment, size_t wanted, bool *zeroed)
{
    size_t size = cw_block_round(wanted);
    if (!size || alignment > SIZE_MAX / 4) {
        errno = ENOMEM;
        return NULL;
    }
    if (!is_open)
        return cw_early_take(alignment, size);
    if (cw_pages_is_large(size)) {
        *zeroed = true;
        return cw_pages_map(alignment, size);
    }
    void *payload = alignment <= CW_ALIGN ? cw_cache_take(size) : NULL;
    if (payload)
        return payload;
    bool locked = lock_heap();
    payload = take(alignment, size);
    if (payload)
        *zeroed = touch(payload);
    unlock_heap(locked);
    if (!payload)
        errno = ENOMEM;
    return payload;
}

void cw_heap_give(void *payload)
{
    bool locked = lock_heap();
    size_t size = cw_block_size(payload);
    cw_pages_note_free(size, cw_block_give(payload));
    unlock_heap(locked);
}

void *cw_malloc(size_t size) CW_EXPORT(malloc);
void *cw_malloc(size_t size)
{
    bool zeroed;
    return allocate(CW_ALIGN, size, &zeroed);
}

void *cw_calloc(size_t count, size_t size) CW_EXPORT(calloc);
void *cw_calloc(size_t count, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(count, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    bool zeroed = false;
    char *payload = allocate(CW_ALIGN, all, &zeroed);
    if (!payload)
        return NULL;
    if (!zeroed || all <= CW_LINEAR) {
        memset(payload, 0, all);
        return payload;
    }
    /* Only the links of the free block that this was, and what the block above has noted in its last bytes. */
    memset(payload, 0, ZEROED_HEAD);
    memset(payload + all - CW_BLOCK_HEAD, 0, CW_BLOCK_HEAD);
    return payload;
}

void cw_free(void *payload) CW_EXPORT(free);
void cw_free(void *payload)
{
    if (!payload || cw_early_owns(payload))
        return;
    int fault = errno; /* callers look at errno after they have cleaned up */
    if (cw_pages_is_mapped(payload))
        cw_pages_unmap(payload);
    else if (!cw_cache_give(payload, checked_size(payload)))
        cw_heap_give(payload);
    errno = fault;
}

size_t cw_usable(void *payload) CW_EXPORT(malloc_usable_size);
size_t cw_usable(void *payload)
{
    if (!payload)
        return 0;
    if (cw_early_owns(payload))
        return cw_early_size(payload);
    return cw_pages_is_mapped(payload) ? cw_pages_mapped_size(payload) : checked_size(payload);
}

/* Whether a block could be given its new size where it is. Small ones move: their sizes are what the threads' caches
 * are made of. */
static bool resize_in_place(void *payload, size_t old, size_t size)
{
    if (size <= old && size > old / 2)
        return true;
    if (size <= CW_CACHED || old <= CW_CACHED)
        return false;
    bool locked = lock_heap();
    bool done = cw_block_resize(payload, size);
    if (done)
        (void)touch(payload);
    unlock_heap(locked);
    return done;
}

void *cw_realloc(void *payload, size_t wanted) CW_EXPORT(realloc);
void *cw_realloc(void *payload, size_t wanted)
{
    if (!payload)
        return cw_malloc(wanted);
    if (!wanted) {
        cw_free(payload);
        return NULL;
    }
    size_t size = cw_block_round(wanted);
    size_t old = cw_usable(payload);
    if (size && cw_pages_is_mapped(payload) && cw_pages_is_large(size))
        return cw_pages_remap(payload, size);
    if (size && !cw_early_owns(payload) && !cw_pages_is_mapped(payload) && resize_in_place(payload, old, size))
        return payload;
    void *moved = cw_malloc(wanted);
    if (moved) {
        memcpy(moved, payload, old < wanted ? old : wanted);
        cw_free(payload);
    }
    return moved;
}

void *cw_reallocarray(void *payload, size_t count, size_t size) CW_EXPORT(reallocarray);
void *cw_reallocarray(void *payload, size_t count, size_t size)
{
    size_t all;
    if (!__builtin_mul_overflow(count, size, &all))
        return cw_realloc(payload, all);
    errno = ENOMEM;
    return NULL;
}

static bool is_power_of_two(size_t number)
{
    return number && !(number & (number - 1));
}

void *cw_aligned_alloc(size_t alignment, size_t size) CW_EXPORT(aligned_alloc);
void *cw_aligned_alloc(size_t alignment, size_t size)
{
    bool zeroed;
    if (is_power_of_two(alignment))
        return allocate(alignment, size, &zeroed);
    errno = EINVAL;
    return NULL;
}

/* glibc's rounds the alignment up. */
void *cw_memalign(size_t alignment, size_t size) CW_EXPORT(memalign);
void *cw_memalign(size_t alignment, size_t size)
{
    size_t power = CW_ALIGN;
    while (power < alignment && power <= SIZE_MAX / 4)
        power *= 2;
    return cw_aligned_alloc(power, size);
}

int cw_posix_memalign(void **to, size_t alignment, size_t size) CW_EXPORT(posix_memalign);
int cw_posix_memalign(void **to, size_t alignment, size_t size)
{
    bool zeroed;
    int fault = errno;
    if (!is_power_of_two(alignment) || alignment % sizeof(void *))
        return EINVAL;
    void *payload = allocate(alignment, size, &zeroed);
    errno = fault;
    if (!payload)
        return ENOMEM;
    *to = payload;
    return 0;
}

void *cw_valloc(size_t size) CW_EXPORT(valloc);
void *cw_valloc(size_t size)
{
    return cw_aligned_alloc(CW_PAGE, size);
}

void *cw_pvalloc(size_t size) CW_EXPORT(pvalloc);
void *cw_pvalloc(size_t size)
{
    size_t whole;
    if (!__builtin_add_overflow(size, CW_PAGE - 1, &whole))
        return cw_valloc(whole & ~(size_t)(CW_PAGE - 1));
    errno = ENOMEM;
    return NULL;
}
