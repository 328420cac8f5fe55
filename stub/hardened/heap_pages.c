/* Where the kernel likes: there are no regions at fixed addresses. */
#define _GNU_SOURCE 1
#include <sys/mman.h>

#include "heap.h"

void cw_heap_keep_all(bool keep)
{
    (void)keep; /* only what makes a snapshot asks for it */
}

bool cw_heap_keeps_all(void)
{
    return false;
}

bool cw_heap_is_arena(const void *memory)
{
    (void)memory;
    return false;
}

void *cw_heap_arena(size_t size)
{
    void *arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return arena == MAP_FAILED ? NULL : arena;
}

void cw_heap_arena_free(void *arena, size_t size)
{
    munmap(arena, size);
}
