#include "arena.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <sys/mman.h>

/* An x86-64 huge page; CPython's arenas are half of it, 1 MiB. */
static const size_t HUGE = (size_t)2 << 20;

/* What is left of the last huge page; given out and taken back with the GIL held, as CPython promises. */
static char *rest;
static size_t rest_size;

static char *map(size_t size)
{
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

/* A whole huge page at its own alignment. Where there is none, it is ordinary memory. */
static char *map_huge_page(void)
{
    char *at = map(2 * HUGE);
    if (!at)
        return NULL;
    char *aligned = (char *)(((uintptr_t)at + HUGE - 1) & ~(HUGE - 1));
    if (aligned > at)
        munmap(at, (size_t)(aligned - at));
    munmap(aligned + HUGE, (size_t)(at + HUGE - aligned));
    madvise(aligned, HUGE, MADV_HUGEPAGE);
    return aligned;
}

static void *take(void *context, size_t size)
{
    (void)context;
    if (size > HUGE)
        return map(size);
    if (rest_size < size) {
        char *page = map_huge_page();
        if (!page)
            return map(size);
        if (rest_size)
            munmap(rest, rest_size);
        rest = page;
        rest_size = HUGE;
    }
    char *taken = rest;
    rest += size;
    rest_size -= size;
    return taken;
}

static void give_back(void *context, void *at, size_t size)
{
    (void)context;
    munmap(at, size);
}

void cw_use_huge_arenas(void)
{
    PyObjectArenaAllocator allocator = {.ctx = NULL, .alloc = take, .free = give_back};
    PyObject_SetArenaAllocator(&allocator);
}
