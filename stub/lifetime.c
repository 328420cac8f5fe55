#include "lifetime.h"

#include "collector.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* The status of a process whose last buffered output could not be written, as python(1) has it. */
enum { EXIT_FLUSH_FAILED = 120 };

/* libpython's own, called through --wrap. */
void __real_Py_Exit(int status);
int __real__PyFile_Flush(PyObject *file);
void __real__PyTraceMalloc_Stop(void);
void __wrap_Py_Exit(int status);
int __wrap__PyFile_Flush(PyObject *file);
void __wrap__PyTraceMalloc_Stop(void);

static bool ending;
static int status_at_end;

/* Sees the flushing of sys.stdout and sys.stderr at the end, whose failure becomes the exit status. */
int __wrap__PyFile_Flush(PyObject *file)
{
    int result = __real__PyFile_Flush(file);
    if (result < 0 && ending && Py_IsFinalizing())
        status_at_end = EXIT_FLUSH_FAILED;
    return result;
}

/* Py_FinalizeEx calls this when every destructor has run, before it gives back memory piece by piece, which
 * the kernel does faster. */
void __wrap__PyTraceMalloc_Stop(void)
{
    if (Py_IsFinalizing() && ending) {
        cw_finalize_rest();
        cw_end_process();
    }
    __real__PyTraceMalloc_Stop();
}

void cw_end_process(void)
{
    if (!ending)
        return;
    if (status_at_end == CW_STATUS_SIGINT) {
        signal(SIGINT, SIG_DFL);
        kill(getpid(), SIGINT);
    }
    exit(status_at_end);
}

void __wrap_Py_Exit(int status)
{
    ending = true;
    status_at_end = status;
    __real_Py_Exit(status);
}

_Noreturn void cw_exit(int status)
{
    __wrap_Py_Exit(status);
    __builtin_unreachable();
}
