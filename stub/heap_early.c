#define _GNU_SOURCE 1
#include "heap_early.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "heap_blocks.h"

#include "live.h"

/* Address space for it; memory only when it is used. Less where there is a limit: what is reserved here is missing
 * later. */
static const size_t EARLY = (size_t)64 << 20;
static const size_t EARLY_LITTLE = (size_t)512 << 10;

/* Only one thread runs before `main`, unless a preloaded library has started others. */
static _Atomic uintptr_t end;
static uintptr_t from, to;

static bool is_limited(int resource)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

static uintptr_t reserve(void)
{
    size_t size = is_limited(RLIMIT_AS) || is_limited(RLIMIT_DATA) ? EARLY_LITTLE : EARLY;
    void *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED)
        return 0;
    from = (uintptr_t)area;
    to = from + size;
    return from;
}

void *cw_early_take(size_t alignment, size_t size)
{
    if (!atomic_load(&end))
        atomic_store(&end, reserve());
    if (alignment < CW_ALIGN)
        alignment = CW_ALIGN;
    uintptr_t old = atomic_load(&end), payload;
    do
        payload = (old + sizeof(size_t) + alignment - 1) & ~(uintptr_t)(alignment - 1);
    while (old && payload < to && size < to - payload && !atomic_compare_exchange_weak(&end, &old, payload + size));
    if (!old || payload >= to || size >= to - payload) {
        errno = ENOMEM;
        return NULL;
    }
    ((size_t *)payload)[-1] = size;
    return (void *)payload;
}

bool cw_early_owns(const void *payload)
{
    return (uintptr_t)payload >= from && (uintptr_t)payload < to;
}

size_t cw_early_size(const void *payload)
{
    return ((const size_t *)payload)[-1];
}
