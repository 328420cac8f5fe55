/* Preloaded, it takes an address that prelinked libraries are to have. */
#define _GNU_SOURCE 1
#include <sys/mman.h>

__attribute__((constructor)) static void occupy(void)
{
    mmap((void *)0x800001000, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
