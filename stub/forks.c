#include "forks.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

enum { MOST = 64 };

/* Part of a snapshot. */
static struct {
    void (*prepare)(void);
    void (*parent)(void);
    void (*child)(void);
} handlers[MOST];
static size_t count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int cw_forks_register(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    pthread_mutex_lock(&lock);
    int fault = count == MOST ? ENOMEM : pthread_atfork(prepare, parent, child);
    if (!fault) {
        handlers[count].prepare = prepare;
        handlers[count].parent = parent;
        handlers[count++].child = child;
    }
    pthread_mutex_unlock(&lock);
    return fault;
}

void cw_forks_prepare(void)
{
    for (size_t n = count; n > 0; n--)
        if (handlers[n - 1].prepare)
            handlers[n - 1].prepare();
}

int cw_forks_restore(void)
{
    for (size_t n = 0; n < count; n++) {
        int fault = pthread_atfork(handlers[n].prepare, handlers[n].parent, handlers[n].child);
        if (fault)
            return fault;
        if (handlers[n].child)
            handlers[n].child();
    }
    return 0;
}
