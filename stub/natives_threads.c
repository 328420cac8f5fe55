#define _GNU_SOURCE 1
#include "natives_threads.h"

#include <sched.h>
#include <unistd.h>

#include "native_symbols.h"
#include "variables.h"

/* Functions that tell how many threads a library uses, and choose it: OpenBLAS as it is, with 64-bit integers, and as
 * numpy and scipy have it; OpenMP. */
static const struct {
    const char *get, *set;
} KNOWN[] = {
    {"openblas_get_num_threads", "openblas_set_num_threads"},
    {"openblas_get_num_threads64_", "openblas_set_num_threads64_"},
    {"scipy_openblas_get_num_threads", "scipy_openblas_set_num_threads"},
    {"scipy_openblas_get_num_threads64_", "scipy_openblas_set_num_threads64_"},
    {"omp_get_max_threads", "omp_set_num_threads"},
};

/* Environment variables of OpenMP, and of GCC's. */
static const char *const VARIABLES[] = {
    "OMP_CANCELLATION", "OMP_DYNAMIC", "OMP_MAX_ACTIVE_LEVELS", "OMP_NESTED", "OMP_NUM_THREADS", "OMP_PLACES",
    "OMP_PROC_BIND", "OMP_SCHEDULE", "OMP_STACKSIZE", "OMP_THREAD_LIMIT", "OMP_WAIT_POLICY", "GOMP_CPU_AFFINITY",
    "GOMP_SPINCOUNT", "GOMP_STACKSIZE", "GOMP_RTEMS_THREAD_POOLS",
};

enum { MOST = 8 };

/* Part of a snapshot. */
static struct {
    int processors;
    unsigned count;
    struct {
        int (*get)(void);
        void (*set)(int count);
    } pools[MOST];
} saved;

static int processors(void)
{
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof usable, &usable) == 0)
        return CPU_COUNT(&usable);
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    return all > 0 ? (int)all : 1;
}

static void *function(const struct cw_native *native, const char *name)
{
    const Elf64_Sym *symbol = cw_native_find(native->library, name, NULL);
    return symbol ? cw_native_address(native->library, symbol) : NULL;
}

void cw_threads_note_variables(const struct cw_native *native)
{
    if (!cw_variables_are_watched() || !cw_native_find(native->library, "GOMP_parallel", NULL))
        return;
    for (size_t n = 0; n < sizeof VARIABLES / sizeof *VARIABLES; n++)
        cw_variables_note(VARIABLES[n]);
}

static void note_pools(const struct cw_native *native)
{
    for (size_t n = 0; n < sizeof KNOWN / sizeof *KNOWN && saved.count < MOST; n++) {
        void *get = function(native, KNOWN[n].get), *set = function(native, KNOWN[n].set);
        if (!get || !set)
            continue;
        saved.pools[saved.count].get = (int (*)(void))(uintptr_t)get;
        saved.pools[saved.count++].set = (void (*)(int))(uintptr_t)set;
    }
}

void cw_threads_save(void)
{
    const struct cw_native *native;
    saved.count = 0;
    saved.processors = processors();
    for (uint32_t n = 0; (native = cw_native_loaded(n)); n++)
        note_pools(native);
}

/* A number that the program has chosen stays; where the libraries' own is right, nothing is called, since a pool may
 * start its threads then, which it would do only when they are needed. */
void cw_threads_restore(void)
{
    int now = saved.count ? processors() : saved.processors;
    if (now == saved.processors)
        return;
    for (unsigned n = 0; n < saved.count; n++)
        if (saved.pools[n].get() == saved.processors)
            saved.pools[n].set(now);
}
