#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "resume.h"

#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#include <dlfcn.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "again.h"
#include "arena.h"
#include "dispositions.h"
#include "forks.h"
#include "gates.h"
#include "immortal.h"
#include "keys.h"
#include "natives.h"
#include "natives_threads.h"
#include "paths.h"
#include "pools.h"
#include "say.h"
#include "snapshot.h"
#include "strays.h"
#include "stub.h"

/* The interpreter is saved as a process is that forks: with its locks held, no other thread, and nothing under way. */
const char *cw_suspend(int fd, enum cw_origin origin, struct cw_bytes gates)
{
    cw_dispositions_save();
    cw_make_immortal();
    cw_forks_prepare();
    PyOS_BeforeFork();
    _PyThreadState_GET()->native_thread_id = 0; /* set again when it goes on */
    cw_keys_save();
    cw_threads_save();
    cw_pools_close();
    cw_arenas_start_small();
    const char *fault = cw_snapshot_save(fd, origin, gates);
    PyOS_AfterFork_Parent();
    return fault;
}

static PyObject *environment(void)
{
    PyObject *all = PyDict_New();
    for (char **entry = environ; all && entry && *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (!equals)
            continue;
        PyObject *name = PyBytes_FromStringAndSize(*entry, equals - *entry);
        PyObject *value = PyBytes_FromString(equals + 1);
        if (!name || !value || !PyDict_SetDefault(all, name, value))
            Py_CLEAR(all);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return all;
}

static PyObject *arguments(const struct cw_start *start)
{
    PyObject *all = PyList_New(start->argc);
    for (int n = 0; all && n < start->argc; n++) {
        PyObject *argument = PyUnicode_DecodeFSDefault(start->argv[n]);
        if (argument)
            PyList_SET_ITEM(all, n, argument);
        else
            Py_CLEAR(all);
    }
    return all;
}

/* Whether Python takes everything for UTF-8 of itself, as it does in a locale without an encoding (PEP 540). */
static int utf8_mode(const char *locale)
{
    int chosen = cw_chosen_utf8_mode();
    return chosen >= 0 ? chosen : strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0;
}

/* What becomes of bytes on the standard streams that are not UTF-8: locales that are chosen for want of a better one
 * must not lose any (PEP 538). */
static const char *stream_errors(const char *locale, int mode)
{
    static const char *const plain[] = {"C", "POSIX", "C.UTF-8", "C.utf8", "UTF-8"};
    for (size_t n = 0; n < sizeof plain / sizeof *plain; n++)
        if (strcmp(locale, plain[n]) == 0)
            mode = 1;
    return mode ? "surrogateescape" : "strict";
}

/* sys.flags and what CPython itself looks at. */
static void set_utf8_mode(int mode)
{
    enum { FIELD = 14 }; /* of sys.flags, see its documentation */
    PyObject *flags = PySys_GetObject("flags");
    _PyRuntime.preconfig.utf8_mode = mode;
    if (flags)
        PyStructSequence_SET_ITEM(flags, FIELD, PyLong_FromLong(mode)); /* small numbers are immortal */
}

/* Nothing of the app has run yet, so that it can as well start the ordinary way. */
_Noreturn static void give_up(const char *what)
{
    if (!cw_snapshot_wants_reason())
        cw_again(what);
    if (PyErr_Occurred())
        PyErr_Print();
    cw_again(what);
    cw_die(CW_EXIT_START, cw_self_path(), "%s; COACHWHIP_SNAPSHOT=0 starts without a snapshot", what);
}

/* What a fork does not change, and PyOS_AfterFork_Child() leaves alone. */
static void adopt_thread(void)
{
    PyThreadState *thread = _PyThreadState_GET();
    thread->thread_id = PyThread_get_thread_ident();
    if (cw_keys_restore() != 0)
        give_up("there are no keys for thread-specific data");
    if (cw_natives_restored() < 0)
        give_up(dlerror());
    if (cw_strays_restore())
        give_up("a library of this machine lacks what the snapshot has found in another");
    if (cw_forks_restore() != 0)
        give_up("nothing can be registered for fork()");
    cw_threads_restore();
    PyOS_AfterFork_Child();
}

void cw_resume(const struct cw_start *start)
{
    adopt_thread();
    cw_dispositions_restore();
    const char *locale = setlocale(LC_CTYPE, NULL);
    int mode = utf8_mode(locale);
    set_utf8_mode(mode);
    PyObject *boot = PyImport_ImportModule("_coachwhip_resume");
    PyObject *variables = environment();
    PyObject *values = arguments(start);
    PyObject *done = NULL;
    if (boot && variables && values)
        done = PyObject_CallMethod(boot, "resume", "OOs", variables, values, stream_errors(locale, mode));
    if (!done)
        give_up("the program can't go on from its snapshot");
    Py_DECREF(done);
    Py_DECREF(values);
    Py_DECREF(variables);
    Py_DECREF(boot);
}
