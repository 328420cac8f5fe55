#define _GNU_SOURCE 1
#include "constants.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>

#include "live.h"

/* 2020-01-01, and a number that no process has: libraries that look at it to find out whether they were forked do so
 * when a snapshot goes on. */
static const time_t MOMENT = 1577836800;
static const pid_t NUMBER = 0x7ffffffe;

/* libc's own, called through --wrap. */
int __real_clock_gettime(clockid_t clock, struct timespec *now);
long __real_syscall(long number, ...);
pid_t __real_getpid(void);
struct tm *__real_localtime_r(const time_t *moment, struct tm *local);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
pid_t __wrap_getpid(void);
struct tm *__wrap_localtime_r(const time_t *moment, struct tm *local);

static atomic_ulong reads, random_reads, zone_reads;
static bool constant, constant_randomness;
static uint64_t state;

unsigned long cw_clock_reads(void)
{
    return atomic_load(&reads);
}

unsigned long cw_random_reads(void)
{
    return atomic_load(&random_reads);
}

unsigned long cw_zone_reads(void)
{
    return atomic_load(&zone_reads);
}

void cw_hold_constant(void)
{
    constant = true;
}

void cw_hold_randomness(void)
{
    constant_randomness = true;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock != CLOCK_REALTIME)
        return __real_clock_gettime(clock, now);
    atomic_fetch_add_explicit(&reads, 1, memory_order_relaxed);
    if (!constant)
        return __real_clock_gettime(clock, now);
    *now = (struct timespec){.tv_sec = MOMENT};
    return 0;
}

/* splitmix64 (S. Vigna) */
static uint64_t next(void)
{
    uint64_t mixed = state += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

static long fill(unsigned char *to, size_t size)
{
    for (size_t n = 0; n < size; n++)
        to[n] = (unsigned char)next();
    return (long)size;
}

/* Rust seeds its hash tables with this kind of randomness, which is none for secrets. A product's hashes are the same at
 * every start. */
enum { INSECURE = 4 };

/* CPython and OpenSSL call the kernel for randomness, as not every libc has a function for it. */
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (number == SYS_getrandom && !(c & INSECURE))
        atomic_fetch_add_explicit(&random_reads, 1, memory_order_relaxed);
    if (constant_randomness && number == SYS_getrandom)
        return fill((void *)a, (size_t)b);
    if (constant && number == SYS_gettid)
        return NUMBER;
    return __real_syscall(number, a, b, c, d, e, f);
}

ssize_t cw_random(void *to, size_t size, unsigned flags)
{
    return (ssize_t)__wrap_syscall(SYS_getrandom, (long)to, (long)size, (long)flags, 0, 0, 0);
}

pid_t __wrap_getpid(void)
{
    return constant ? NUMBER : __real_getpid();
}

struct tm *__wrap_localtime_r(const time_t *moment, struct tm *local)
{
    atomic_fetch_add_explicit(&zone_reads, 1, memory_order_relaxed);
    return __real_localtime_r(moment, local);
}
