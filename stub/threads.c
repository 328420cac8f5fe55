#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <unistd.h>

#include "next.h"

CW_NEXT(dlopen, void *, const char *, int)

/* libpython's own, called through --wrap. */
void __real_PyThread_exit_thread(void);
void __wrap_PyThread_exit_thread(void);

/* Ends a thread that wants to go on while the program ends. pthread_exit, which CPython calls, needs libgcc_s of the
 * machine and aborts the program without: there the thread waits for the end, as it does from Python 3.14 on. */
void __wrap_PyThread_exit_thread(void)
{
    if (next_dlopen()("libgcc_s.so.1", RTLD_LAZY))
        __real_PyThread_exit_thread();
    for (;;)
        pause();
}
