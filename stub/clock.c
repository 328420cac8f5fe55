/* Counts how often Python and its libraries ask for the time of day, to find modules that keep it. */
#include "clock.h"

#include <stdatomic.h>
#include <time.h>

/* libc's own, called through --wrap. */
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

static atomic_ulong reads;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock == CLOCK_REALTIME)
        atomic_fetch_add_explicit(&reads, 1, memory_order_relaxed);
    return __real_clock_gettime(clock, now);
}

unsigned long cw_clock_reads(void)
{
    return atomic_load(&reads);
}
