#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "resume.h"

#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "dispositions.h"
#include "immortal.h"
#include "keys.h"
#include "paths.h"
#include "say.h"
#include "snapshot.h"
#include "stub.h"

/* The interpreter is saved as a process is that forks: with its locks held, no other thread, and nothing under way. */
const char *cw_suspend(int fd, struct cw_bytes gates)
{
    cw_dispositions_save();
    cw_make_immortal();
    PyOS_BeforeFork();
    _PyThreadState_GET()->native_thread_id = 0; /* set again when it goes on */
    cw_keys_save();
    const char *fault = cw_snapshot_save(fd, gates);
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

/* Whether the locale is one of some. */
static bool is_locale_of(const char *const *names, size_t count)
{
    const char *locale = setlocale(LC_CTYPE, NULL);
    for (size_t n = 0; locale && n < count; n++)
        if (strcmp(locale, names[n]) == 0)
            return true;
    return false;
}

/* What standard input and output do about bytes that are not UTF-8: keep them, in locales that promise nothing (PEP 538
 * has the list). */
static const char *stream_errors(void)
{
    static const char *const plain[] = {"C", "POSIX", "C.UTF-8", "C.utf8", "UTF-8"};
    return is_locale_of(plain, sizeof plain / sizeof *plain) ? "surrogateescape" : "strict";
}

/* Sets sys.flags.utf8_mode, which is on where the locale has no encoding (PEP 540). */
static void set_utf8_mode(void)
{
    static const char *const bare[] = {"C", "POSIX"};
    int mode = is_locale_of(bare, sizeof bare / sizeof *bare);
    PyObject *flags = PySys_GetObject("flags");
    _PyRuntime.preconfig.utf8_mode = mode;
    const PyMemberDef *field = flags ? Py_TYPE(flags)->tp_members : NULL;
    for (Py_ssize_t n = 0; field && field[n].name; n++)
        if (strcmp(field[n].name, "utf8_mode") == 0)
            PyStructSequence_SetItem(flags, n, PyLong_FromLong(mode)); /* small numbers need not be freed */
}

_Noreturn static void give_up(const char *what)
{
    if (PyErr_Occurred())
        PyErr_Print();
    cw_die(CW_EXIT_START, cw_self_path(), "%s; COACHWHIP_SNAPSHOT=0 starts without a snapshot", what);
}

/* What a fork does not change, and PyOS_AfterFork_Child() leaves alone. */
static void adopt_thread(void)
{
    PyThreadState *thread = _PyThreadState_GET();
    thread->thread_id = PyThread_get_thread_ident();
    if (cw_keys_restore() != 0)
        give_up("there are no keys for thread-specific data");
    PyOS_AfterFork_Child();
}

void cw_resume(const struct cw_start *start)
{
    adopt_thread();
    cw_dispositions_restore();
    set_utf8_mode();
    PyObject *boot = PyImport_ImportModule("_coachwhip_resume");
    PyObject *variables = environment();
    PyObject *values = arguments(start);
    PyObject *done = NULL;
    if (boot && variables && values)
        done = PyObject_CallMethod(boot, "resume", "OOs", variables, values, stream_errors());
    if (!done)
        give_up("the program can't go on from its snapshot");
    Py_DECREF(done);
    Py_DECREF(values);
    Py_DECREF(variables);
    Py_DECREF(boot);
}
