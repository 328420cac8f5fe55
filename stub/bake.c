#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "bake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <unistd.h>

#include "collector.h"
#include "dispositions.h"
#include "heap.h"
#include "paths.h"
#include "resume.h"
#include "say.h"
#include "stub.h"
#include "sys.h"

#include "live.h"

const char *cw_bake_plan(void)
{
    /* A plan says what files to write: the caller of a setuid program shall have none written in its owner's name. */
    const char *path = getauxval(AT_SECURE) ? NULL : getenv(CW_BAKE_VARIABLE);
    return path && *path ? path : NULL;
}

int cw_bake_here(void)
{
    static const size_t size = sizeof CW_BAKE_HERE - 1;
    const char *plan = cw_bake_plan();
    return plan && strncmp(plan, CW_BAKE_HERE, size) == 0 ? atoi(plan + size) : -1;
}

void cw_bake_begin(char **argv)
{
    /* What is made here need not be the same twice. */
    int persona = cw_bake_here() < 0 ? personality(0xffffffff) : -1;
    if (persona >= 0 && !(persona & ADDR_NO_RANDOMIZE) && personality((unsigned long)persona | ADDR_NO_RANDOMIZE) >= 0)
        execv("/proc/self/exe", argv); /* where that is forbidden, two snapshots differ in a few addresses */
    cw_dispositions_reset();
    cw_heap_keep_all(true);
    setenv("OPENSSL_CONF", "/dev/null", 1); /* read when the snapshot goes on */
}

/* What to save: (path, gates), or None; NULL with an exception set. */
static PyObject *prepare(const char *plan)
{
    PyObject *module = PyImport_ImportModule("_coachwhip_bake");
    PyObject *wish = NULL;
    struct cw_bytes own = cw_snapshot_plan(cw_image_snapshot(&cw_image));
    if (module && cw_bake_here() < 0)
        wish = PyObject_CallMethod(module, "prepare", "s", plan);
    else if (module)
        wish = PyObject_CallMethod(module, "prepare_here", "y#", own.data, (Py_ssize_t)own.size);
    Py_XDECREF(module);
    return wish;
}

/* Saves what has been prepared: into the file that `wish` names; or, where it is for this machine, into the descriptor
 * `here`, and then `wish` says what went wrong, if anything. */
static const char *save(PyObject *wish, int here)
{
    const char *text;
    struct cw_bytes gates;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(wish, "sy#", &text, &gates.data, &size))
        return "its plan is damaged";
    gates.size = (uint64_t)size;
    if (here >= 0)
        return *text ? text : cw_suspend(here, CW_OF_MACHINE, gates);
    int fd = sys_openat(AT_FDCWD, text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd < 0 ? strerror(-fd) : cw_suspend(fd, CW_OF_PRODUCT, gates);
}

void cw_bake(const char *plan)
{
    int here = cw_bake_here(); /* the variable is gone then */
    PyObject *wish = prepare(plan);
    if (wish && Py_IsNone(wish)) {
        Py_DECREF(wish);
        return;
    }
    if (!wish || cw_freeze_base() < 0) {
        PyErr_Print();
        _exit(CW_EXIT_START);
    }
    const char *fault = save(wish, here);
    if (fault)
        cw_die(CW_EXIT_START, cw_self_path(), "no snapshot can be made: %s", fault);
    _exit(0);
}
