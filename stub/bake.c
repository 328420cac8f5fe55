#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector.h"
#include "paths.h"
#include "resume.h"
#include "say.h"
#include "stub.h"
#include "sys.h"

#include "live.h"

const char *cw_bake_wish(void)
{
    const char *path = getenv("COACHWHIP_BAKE");
    return path && *path ? path : NULL;
}

static int import_modules(void)
{
    PyObject *module = PyImport_ImportModule("_coachwhip_bake");
    PyObject *done = module ? PyObject_CallMethod(module, "bake", NULL) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

_Noreturn void cw_bake(const char *path)
{
    if (import_modules() < 0 || cw_freeze_base() < 0) {
        PyErr_Print();
        _exit(CW_EXIT_START);
    }
    int fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const char *fault = fd < 0 ? strerror(-fd) : cw_suspend(fd);
    if (fault)
        cw_die(CW_EXIT_START, cw_self_path(), "no snapshot can be made: %s", fault);
    _exit(0);
}
