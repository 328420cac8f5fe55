#include "keys.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* As many as POSIX wants a process to have. */
enum { KEYS = 128 };

/* libc's own, called through --wrap. */
int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __real_pthread_key_delete(pthread_key_t key);
int __real_pthread_setspecific(pthread_key_t key, const void *value);
void *__real_pthread_getspecific(pthread_key_t key);
int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __wrap_pthread_key_delete(pthread_key_t key);
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);
void *__wrap_pthread_getspecific(pthread_key_t key);

/* Part of a snapshot. */
static struct {
    atomic_bool used;
    void (*destructor)(void *);
    void *value; /* of the thread that is saved */
    pthread_key_t real; /* libc's number in this process */
} keys[KEYS];

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    for (pthread_key_t n = 0; n < KEYS; n++) {
        bool free = false;
        if (!atomic_compare_exchange_strong(&keys[n].used, &free, true))
            continue;
        keys[n].destructor = destructor;
        int fault = __real_pthread_key_create(&keys[n].real, destructor);
        if (fault)
            atomic_store(&keys[n].used, false);
        *key = n;
        return fault;
    }
    return EAGAIN;
}

static bool is_used(pthread_key_t key)
{
    return key < KEYS && atomic_load_explicit(&keys[key].used, memory_order_relaxed);
}

int __wrap_pthread_key_delete(pthread_key_t key)
{
    if (!is_used(key))
        return EINVAL;
    int fault = __real_pthread_key_delete(keys[key].real);
    atomic_store(&keys[key].used, false);
    return fault;
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    return is_used(key) ? __real_pthread_setspecific(keys[key].real, value) : EINVAL;
}

void *__wrap_pthread_getspecific(pthread_key_t key)
{
    return is_used(key) ? __real_pthread_getspecific(keys[key].real) : NULL;
}

void cw_keys_save(void)
{
    for (pthread_key_t n = 0; n < KEYS; n++)
        keys[n].value = is_used(n) ? __real_pthread_getspecific(keys[n].real) : NULL;
}

int cw_keys_restore(void)
{
    for (pthread_key_t n = 0; n < KEYS; n++) {
        if (!is_used(n))
            continue;
        int fault = __real_pthread_key_create(&keys[n].real, keys[n].destructor);
        if (!fault && keys[n].value)
            fault = __real_pthread_setspecific(keys[n].real, keys[n].value);
        if (fault)
            return fault;
    }
    return 0;
}
