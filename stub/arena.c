#include "arena.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>
#include <sys/mman.h>

#include "heap.h"

/* An x86-64 huge page; CPython's arenas are half of it, 1 MiB. */
static const size_t HUGE = (size_t)2 << 20;

/* What is left of the last huge page. Interpreters with a GIL of their own ask at the same time. */
static char *rest;
static size_t rest_size;
/* Bytes to be had in ordinary pages first. */
static size_t ordinary;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static char *take_huge_page(void)
{
    char *page = cw_heap_arena(HUGE);
    if (page && ordinary >= HUGE)
        ordinary -= HUGE;
    else if (page)
        madvise(page, HUGE, MADV_HUGEPAGE);
    return page;
}

void cw_arenas_start_small(void)
{
    ordinary = 2 * HUGE;
}

static void *take_locked(size_t size)
{
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

static void *take(void *context, size_t size)
{
    (void)context;
    pthread_mutex_lock(&lock);
    void *taken = take_locked(size);
    pthread_mutex_unlock(&lock);
    return taken;
}

static void give_back(void *context, void *at, size_t size)
{
    (void)context;
    cw_heap_arena_free(at, size > HUGE ? (size + HUGE - 1) & ~(HUGE - 1) : size);
}

static void lock_arenas(void)
{
    pthread_mutex_lock(&lock);
}

static void unlock_arenas(void)
{
    pthread_mutex_unlock(&lock);
}

static void unlock_in_child(void)
{
    pthread_mutex_init(&lock, NULL);
}

void cw_arenas_open(void)
{
    pthread_atfork(lock_arenas, unlock_arenas, unlock_in_child);
}

void cw_use_huge_arenas(void)
{
    PyObjectArenaAllocator allocator = {.ctx = NULL, .alloc = take, .free = give_back};
    PyObject_SetArenaAllocator(&allocator);
}
