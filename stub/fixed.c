#define _GNU_SOURCE 1
#include "fixed.h"

#include <errno.h>
#include <sys/mman.h>

#include "live.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* Linux 4.17; older ones take the address as a wish */
#endif

int cw_map_fixed(void *address, size_t size, int protection, int flags)
{
    int all = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | flags;
    void *at = mmap(address, size, protection, all, -1, 0);
    if (at == MAP_FAILED)
        return -errno;
    if (at == address)
        return 0;
    munmap(at, size);
    return -EEXIST;
}
