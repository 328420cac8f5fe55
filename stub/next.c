#define _GNU_SOURCE 1
#include "next.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

typedef void *dlsym_type(void *, const char *);

/* dlsym's own next definition, which no dlsym can be asked for: that name is ours. Of dlvsym we are no caller's. */
CW_EARLY static dlsym_type *next_dlsym(void)
{
    static void *_Atomic kept;
    void *found = atomic_load_explicit(&kept, memory_order_relaxed);
    if (!found) {
        found = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
        atomic_store_explicit(&kept, found, memory_order_relaxed);
    }
    return (dlsym_type *)(uintptr_t)found;
}

CW_EARLY void *cw_next(void *_Atomic *kept, const char *name, void *fallback)
{
    void *found = atomic_load_explicit(kept, memory_order_relaxed);
    if (found)
        return found;
    found = next_dlsym()(RTLD_NEXT, name);
    if (!found)
        found = fallback;
    atomic_store_explicit(kept, found, memory_order_relaxed);
    return found;
}
