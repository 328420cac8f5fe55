#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "pools.h"

#include <stdbool.h>
#include <stddef.h>

#include <internal/pycore_interp.h>
#include <internal/pycore_obmalloc.h>

typedef struct pool_header pool;

/* The list of a size's pools that have free slots: its two links stand where those of a pool do. */
static pool *list_of(struct _obmalloc_state *state, size_t class)
{
    return (pool *)((char *)&state->pools.used[2 * class] - offsetof(pool, nextpool));
}

/* Whether more than half of it is in use, and more than one slot: freeing the last one in a pool that passes for full
 * is not provided for. */
static bool is_worth_closing(const pool *one, size_t class)
{
    size_t used = one->ref.count * INDEX2SIZE(class);
    return one->ref.count > 1 && used > POOL_SIZE / 2;
}

/* A pool is full when it has neither free slots nor room for any; such pools are in no list. */
static void close_pool(pool *one)
{
    one->prevpool->nextpool = one->nextpool;
    one->nextpool->prevpool = one->prevpool;
    one->freeblock = NULL;
    one->nextoffset = one->maxnextoffset + 1;
}

void cw_pools_close(void)
{
    struct _obmalloc_state *state = PyInterpreterState_Main()->obmalloc;
    for (size_t class = 0; class < NB_SMALL_SIZE_CLASSES; class++) {
        pool *list = list_of(state, class);
        for (pool *one = list->nextpool, *next; one != list; one = next) {
            next = one->nextpool;
            if (is_worth_closing(one, class))
                close_pool(one);
        }
    }
}
