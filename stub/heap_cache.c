#include "heap_cache.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "say.h"

#include "live.h"

enum { MOST = 16 }; /* blocks of one size */

struct kept {
    struct kept *next;
    uintptr_t mark; /* tells a block that is freed twice */
};

/* Part of a snapshot, as all thread-locals of the first thread. */
static _Thread_local struct {
    struct kept *first[CW_CACHE_CLASSES];
    uint8_t count[CW_CACHE_CLASSES];
    enum { UNKNOWN, FLUSHED_AT_END, KEPT, ENDED } state;
} cache;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t ends;

static const uintptr_t MARK = 0x66726565202e2e2e;

static size_t class_of(size_t size)
{
    return size / 16 - 1;
}

static void *pop(size_t class)
{
    struct kept *block = cache.first[class];
    cache.first[class] = block->next;
    cache.count[class]--;
    block->mark = 0;
    return block;
}

void *cw_cache_take(size_t size)
{
    if (size > CW_CACHED || !cache.first[class_of(size)])
        return NULL;
    return pop(class_of(size));
}

void cw_cache_flush(void)
{
    for (size_t class = 0; class < CW_CACHE_CLASSES; class++)
        while (cache.first[class])
            cw_heap_give(pop(class));
}

static void flush_at_end(void *unused)
{
    (void)unused;
    cache.state = ENDED;
    cw_cache_flush();
}

static void make_key(void)
{
    pthread_key_create(&ends, flush_at_end);
}

/* Whether this thread may keep blocks. */
static bool is_usable(void)
{
    if (cache.state == UNKNOWN) {
        cache.state = FLUSHED_AT_END; /* first: setting the key's value may allocate */
        pthread_once(&once, make_key);
        pthread_setspecific(ends, &cache);
    }
    return cache.state != ENDED;
}

static bool is_kept(size_t class, const struct kept *block)
{
    for (const struct kept *other = cache.first[class]; other; other = other->next)
        if (other == block)
            return true;
    return false;
}

bool cw_cache_give(void *payload, size_t size)
{
    if (size > CW_CACHED || !is_usable())
        return false;
    size_t class = class_of(size);
    struct kept *block = payload;
    if (block->mark == MARK && is_kept(class, block)) {
        cw_say("memory", "a block is freed twice");
        abort();
    }
    if (cache.count[class] == MOST)
        return false;
    block->mark = MARK;
    block->next = cache.first[class];
    cache.first[class] = block;
    cache.count[class]++;
    return true;
}

void cw_cache_keep(void)
{
    cache.state = KEPT;
}
