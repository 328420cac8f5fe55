#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "dispositions.h"

#include <signal.h>
#include <stdbool.h>

#include <internal/pycore_runtime.h>

/* Part of a snapshot: what was not SIG_DFL. */
static struct {
    bool noted;
    struct sigaction action;
} saved[Py_NSIG];

void cw_dispositions_reset(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void cw_dispositions_save(void)
{
    for (int number = 1; number < Py_NSIG; number++) {
        struct sigaction *action = &saved[number].action;
        bool known = sigaction(number, NULL, action) == 0;
        action->sa_restorer = NULL; /* libc's own, set by it every time */
        saved[number].noted = known && action->sa_handler != SIG_DFL;
    }
}

/* An entry of the table that signal.getsignal() shows, after SIG_IGN was inherited. */
static void show_ignored(int number)
{
    PyObject *before = _PyRuntime.signals.handlers[number].func;
    _PyRuntime.signals.handlers[number].func = Py_NewRef(_PyRuntime.signals.ignore_handler);
    Py_XDECREF(before);
}

static bool is_inherited_ignored(int number)
{
    struct sigaction inherited;
    return sigaction(number, NULL, &inherited) == 0 && inherited.sa_handler == SIG_IGN;
}

void cw_dispositions_restore(void)
{
    for (int number = 1; number < Py_NSIG; number++) {
        bool is_free = number == SIGINT || !saved[number].noted;
        if (is_free && is_inherited_ignored(number))
            show_ignored(number);
        else if (saved[number].noted)
            sigaction(number, &saved[number].action, NULL);
    }
}
