#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "interrupts.h"

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

/* libpython's own, called through --wrap. */
int __real__PySignal_Init(int install);
int __wrap__PySignal_Init(int install);

static struct sigaction of_python;
static bool held;

/* Installs Python's handlers in the middle of the initialisation, then takes that of SIGINT out again. Where SIGINT is
 * ignored, as in what `nohup` or a script's `&` starts, there is none. */
int __wrap__PySignal_Init(int install)
{
    int result = __real__PySignal_Init(install);
    if (result < 0 || sigaction(SIGINT, NULL, &of_python) < 0)
        return result;
    if (of_python.sa_handler == SIG_DFL || of_python.sa_handler == SIG_IGN)
        return result;
    of_python.sa_restorer = NULL; /* libc's own, set by it every time */
    held = true;
    signal(SIGINT, SIG_DFL);
    if (PyOS_InterruptOccurred()) /* between the two */
        kill(getpid(), SIGINT);
    return result;
}

/* Whether Python still means to raise KeyboardInterrupt: lines of `.pth` files may have chosen otherwise. */
static bool is_unchanged(void)
{
    PyObject *module = PyImport_ImportModule("_signal");
    PyObject *handler = module ? PyObject_CallMethod(module, "getsignal", "i", SIGINT) : NULL;
    PyObject *usual = handler ? PyObject_GetAttrString(module, "default_int_handler") : NULL;
    bool same = usual && handler == usual;
    PyErr_Clear();
    Py_XDECREF(usual);
    Py_XDECREF(handler);
    Py_XDECREF(module);
    return same;
}

void cw_allow_interrupts(void)
{
    if (held && is_unchanged())
        sigaction(SIGINT, &of_python, NULL);
    held = false;
}
