/* Exit handlers and destructors of prelinked libraries. The handlers are kept here and not in libc, so that they are
 * part of what is saved of a process. */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <stdlib.h>

#include "natives.h"
#include "next.h"

struct handler {
    void (*function)(void *);
    void *argument;
    void *library; /* its __dso_handle */
};
static struct handler *handlers;
static size_t handler_count, handler_room;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static bool make_room(void)
{
    if (handler_count < handler_room)
        return true;
    size_t room = handler_room ? 2 * handler_room : 64;
    struct handler *more = realloc(handlers, room * sizeof *more);
    if (!more)
        return false;
    handlers = more;
    handler_room = room;
    return true;
}

int cw_native_cxa_atexit(void (*function)(void *), void *argument, void *library) CW_EXPORT(cw_native___cxa_atexit);
int cw_native_cxa_atexit(void (*function)(void *), void *argument, void *library)
{
    pthread_mutex_lock(&mutex);
    bool good = make_room();
    if (good)
        handlers[handler_count++] = (struct handler){function, argument, library};
    pthread_mutex_unlock(&mutex);
    return good ? 0 : -1;
}

/* The last one that has not run, of one library or of all, taken out; false when there is none. */
static bool take_handler(const void *library, struct handler *taken)
{
    bool found = false;
    pthread_mutex_lock(&mutex);
    for (size_t n = handler_count; n > 0 && !found; n--) {
        struct handler *handler = &handlers[n - 1];
        if (!handler->function || (library && handler->library != library))
            continue;
        *taken = *handler;
        handler->function = NULL;
        found = true;
    }
    while (handler_count && !handlers[handler_count - 1].function)
        handler_count--;
    pthread_mutex_unlock(&mutex);
    return found;
}

void cw_native_cxa_finalize(void *library) CW_EXPORT(cw_native___cxa_finalize);
void cw_native_cxa_finalize(void *library)
{
    struct handler handler;
    while (take_handler(library, &handler))
        handler.function(handler.argument);
}

static void destruct(const struct cw_library *library)
{
    typedef void destructor(void);
    destructor *const *array = (destructor *const *)(uintptr_t)library->fini_array;
    for (uint32_t n = library->fini_count; n > 0; n--)
        if (array[n - 1] && (uintptr_t)array[n - 1] != UINTPTR_MAX)
            array[n - 1]();
    if (library->fini)
        ((destructor *)(uintptr_t)library->fini)();
}

/* After all handlers that libc has, as ld.so's own; before the libraries of the machine, which ours need. */
__attribute__((destructor)) static void end(void)
{
    cw_natives_end();
}

void cw_natives_end(void)
{
    cw_native_cxa_finalize(NULL);
    uint32_t count = cw_natives.loaded_count;
    for (uint32_t n = count; n > 0; n--)
        destruct(cw_natives.all[cw_natives.order[n - 1]].library);
}
