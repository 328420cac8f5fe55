#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "collector.h"
#include "heap.h"
#include "paths.h"
#include "resume.h"
#include "say.h"
#include "stub.h"
#include "sys.h"

#include "live.h"

const char *cw_bake_plan(void)
{
    const char *path = getenv("COACHWHIP_BAKE");
    return path && *path ? path : NULL;
}

void cw_bake_begin(char **argv)
{
    int persona = personality(0xffffffff);
    if (persona >= 0 && !(persona & ADDR_NO_RANDOMIZE) && personality((unsigned long)persona | ADDR_NO_RANDOMIZE) >= 0)
        execv("/proc/self/exe", argv); /* where that is forbidden, two snapshots differ in a few addresses */
    cw_heap_keep_all(true);
    setenv("OPENSSL_CONF", "/dev/null", 1); /* read when the snapshot goes on */
}

/* What to save: (path, gates), or None; NULL with an exception set. */
static PyObject *prepare(const char *plan)
{
    PyObject *module = PyImport_ImportModule("_coachwhip_bake");
    PyObject *wish = module ? PyObject_CallMethod(module, "prepare", "s", plan) : NULL;
    Py_XDECREF(module);
    return wish;
}

static const char *save(PyObject *wish)
{
    const char *path;
    struct cw_bytes gates;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(wish, "sy#", &path, &gates.data, &size))
        return "the plan is no plan";
    gates.size = (uint64_t)size;
    int fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd < 0 ? strerror(-fd) : cw_suspend(fd, gates);
}

void cw_bake(const char *plan)
{
    PyObject *wish = prepare(plan);
    if (wish && Py_IsNone(wish)) {
        Py_DECREF(wish);
        return;
    }
    if (!wish || cw_freeze_base() < 0) {
        PyErr_Print();
        _exit(CW_EXIT_START);
    }
    const char *fault = save(wish);
    if (fault)
        cw_die(CW_EXIT_START, cw_self_path(), "no snapshot can be made: %s", fault);
    _exit(0);
}
