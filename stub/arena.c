#include "arena.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <sys/mman.h>

#include "heap.h"

/* An x86-64 huge page; CPython's arenas are half of it, 1 MiB. */
static const size_t HUGE = (size_t)2 << 20;

/* What is left of the last huge page; given out and taken back with the GIL held, as CPython promises. */
static char *rest;
static size_t rest_size;

static char *take_huge_page(void)
{
    char *page = cw_heap_arena(HUGE);
    if (page)
        madvise(page, HUGE, MADV_HUGEPAGE);
    return page;
}

static void *take(void *context, size_t size)
{
    (void)context;
    if (size > HUGE)
        return cw_heap_arena((size + HUGE - 1) & ~(HUGE - 1));
    if (rest_size < size) {
        char *page = take_huge_page();
        if (!page)
            return NULL;
        if (rest_size)
            cw_heap_arena_free(rest, rest_size);
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
    cw_heap_arena_free(at, size > HUGE ? (size + HUGE - 1) & ~(HUGE - 1) : size);
}

void cw_use_huge_arenas(void)
{
    PyObjectArenaAllocator allocator = {.ctx = NULL, .alloc = take, .free = give_back};
    PyObject_SetArenaAllocator(&allocator);
}
