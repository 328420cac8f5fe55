/* Functions of libc as prelinked libraries see them: what they leave with libc has to be found again when a snapshot
 * goes on, and what they ask for is noted while one is made. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "constants.h"
#include "forks.h"
#include "heap.h"
#include "heap_pages.h"
#include "next.h"
#include "variables.h"

int cw_native_key_create(pthread_key_t *key, void (*end)(void *)) CW_EXPORT(cw_native_pthread_key_create);
int cw_native_key_create(pthread_key_t *key, void (*end)(void *))
{
    return pthread_key_create(key, end);
}

int cw_native_key_delete(pthread_key_t key) CW_EXPORT(cw_native_pthread_key_delete);
int cw_native_key_delete(pthread_key_t key)
{
    return pthread_key_delete(key);
}

int cw_native_setspecific(pthread_key_t key, const void *value) CW_EXPORT(cw_native_pthread_setspecific);
int cw_native_setspecific(pthread_key_t key, const void *value)
{
    return pthread_setspecific(key, value);
}

void *cw_native_getspecific(pthread_key_t key) CW_EXPORT(cw_native_pthread_getspecific);
void *cw_native_getspecific(pthread_key_t key)
{
    return pthread_getspecific(key);
}

int cw_native_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
    CW_EXPORT(cw_native_pthread_atfork);
int cw_native_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return cw_forks_register(prepare, parent, child);
}

/* What a library's own copy of pthread_atfork calls. */
int cw_native_register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library)
    CW_EXPORT(cw_native___register_atfork);
int cw_native_register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library)
{
    (void)library;
    return cw_forks_register(prepare, parent, child);
}

char *cw_native_getenv(const char *name) CW_EXPORT(cw_native_getenv);
char *cw_native_getenv(const char *name)
{
    cw_variables_note(name);
    return getenv(name);
}

char *cw_native_secure_getenv(const char *name) CW_EXPORT(cw_native_secure_getenv);
char *cw_native_secure_getenv(const char *name)
{
    cw_variables_note(name);
    return secure_getenv(name);
}

int cw_native_clock_gettime(clockid_t clock, struct timespec *now) CW_EXPORT(cw_native_clock_gettime);
int cw_native_clock_gettime(clockid_t clock, struct timespec *now)
{
    return clock_gettime(clock, now);
}

int cw_native_gettimeofday(struct timeval *now, void *zone) CW_EXPORT(cw_native_gettimeofday);
int cw_native_gettimeofday(struct timeval *now, void *zone)
{
    (void)zone;
    struct timespec exact;
    int result = clock_gettime(CLOCK_REALTIME, &exact);
    if (now)
        *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
    return result;
}

time_t cw_native_time(time_t *to) CW_EXPORT(cw_native_time);
time_t cw_native_time(time_t *to)
{
    struct timespec exact = {0};
    (void)clock_gettime(CLOCK_REALTIME, &exact);
    if (to)
        *to = exact.tv_sec;
    return exact.tv_sec;
}

ssize_t cw_native_getrandom(void *to, size_t size, unsigned flags) CW_EXPORT(cw_native_getrandom);
ssize_t cw_native_getrandom(void *to, size_t size, unsigned flags)
{
    return cw_random(to, size, flags);
}

int cw_native_getentropy(void *to, size_t size) CW_EXPORT(cw_native_getentropy);
int cw_native_getentropy(void *to, size_t size)
{
    return cw_random(to, size, 0) == (ssize_t)size ? 0 : -1;
}

pid_t cw_native_getpid(void) CW_EXPORT(cw_native_getpid);
pid_t cw_native_getpid(void)
{
    return getpid();
}

/* Memory that a library maps for itself while a snapshot is made is to be part of it, as what is allocated is. */
void *cw_native_mmap(void *wish, size_t size, int protection, int flags, int fd, off_t offset) CW_EXPORT(cw_native_mmap);
void *cw_native_mmap(void *wish, size_t size, int protection, int flags, int fd, off_t offset)
{
    bool plain = (flags & (MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED)) == (MAP_ANONYMOUS | MAP_PRIVATE);
    if (!cw_heap_keeps_all() || !plain || protection != (PROT_READ | PROT_WRITE))
        return mmap(wish, size, protection, flags, fd, offset);
    void *memory = cw_heap_arena((size + CW_PAGE - 1) & ~(size_t)(CW_PAGE - 1));
    if (memory)
        return memory;
    errno = ENOMEM;
    return MAP_FAILED;
}

void *cw_native_mmap64(void *wish, size_t size, int protection, int flags, int fd, off_t offset)
    CW_EXPORT(cw_native_mmap64);
void *cw_native_mmap64(void *wish, size_t size, int protection, int flags, int fd, off_t offset)
{
    return cw_native_mmap(wish, size, protection, flags, fd, offset);
}

int cw_native_munmap(void *memory, size_t size) CW_EXPORT(cw_native_munmap);
int cw_native_munmap(void *memory, size_t size)
{
    if (!cw_heap_keeps_all() || !cw_heap_is_arena(memory))
        return munmap(memory, size);
    cw_heap_arena_free(memory, (size + CW_PAGE - 1) & ~(size_t)(CW_PAGE - 1));
    return 0;
}
