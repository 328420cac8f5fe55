/* Preloaded, it changes what a program finds: TAKE=ADDRESS takes a page, OLD_KERNEL=1 has mmap not know
 * MAP_FIXED_NOREPLACE, PROCESSORS=N tells of so many. */
#define _GNU_SOURCE 1
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

__attribute__((constructor)) static void take(void)
{
    const char *address = getenv("TAKE");
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (address)
        syscall(SYS_mmap, strtoull(address, NULL, 0), 4096, PROT_NONE, flags, -1, 0);
}

void *mmap(void *wish, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (getenv("OLD_KERNEL"))
        flags &= ~MAP_FIXED_NOREPLACE;
    return (void *)syscall(SYS_mmap, wish, size, protection, flags, fd, offset);
}

int sched_getaffinity(pid_t process, size_t size, cpu_set_t *usable)
{
    const char *claimed = getenv("PROCESSORS");
    CPU_ZERO_S(size, usable);
    if (!claimed)
        return syscall(SYS_sched_getaffinity, process, size, usable) < 0 ? -1 : 0;
    for (int n = atoi(claimed); n > 0; n--)
        CPU_SET_S((size_t)n - 1, size, usable);
    return 0;
}
