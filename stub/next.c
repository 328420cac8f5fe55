#define _GNU_SOURCE 1
#include "next.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

#include "live.h"

void *cw_next(void *_Atomic *kept, const char *name, void *fallback)
{
    void *found = atomic_load_explicit(kept, memory_order_relaxed);
    if (found)
        return found;
    found = dlsym(RTLD_NEXT, name);
    if (!found)
        found = fallback;
    atomic_store_explicit(kept, found, memory_order_relaxed);
    return found;
}
