#include "lifetime.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* A first generation that imports do not fill up. */
enum { IMPORT_THRESHOLD = 200000 };

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

static PyObject *gc_call(const char *name, const char *format, int argument)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *result = gc ? PyObject_CallMethod(gc, name, format, argument) : NULL;
    Py_XDECREF(gc);
    return result;
}

/* gc.get_threshold()[0], or -1 with an exception set. */
static long threshold(void)
{
    PyObject *all = gc_call("get_threshold", NULL, 0);
    PyObject *first = all ? PyTuple_GetItem(all, 0) : NULL;
    long value = first ? PyLong_AsLong(first) : -1;
    Py_XDECREF(all);
    return value;
}

static int set_threshold(long value)
{
    PyObject *done = gc_call("set_threshold", "i", (int)value);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* sys.stdin, stdout and stderr with what is below them: text, buffer and file of each. */
enum { STREAM_OBJECTS = 9 };

struct search {
    PyObject *streams[STREAM_OBJECTS];
    bool found;
};

static bool is_stream(const struct search *search, const PyObject *object)
{
    for (int n = 0; n < STREAM_OBJECTS; n++)
        if (search->streams[n] == object)
            return true;
    return false;
}

/* Stops at an object whose end may be noticed: what has `__del__`, and open files. */
static int is_harmless(PyObject *object, void *argument)
{
    struct search *search = argument;
    PyTypeObject *type = Py_TYPE(object);
    if (!type->tp_finalize && !type->tp_del)
        return 1;
    if (PyGen_Check(object) || PyCoro_CheckExact(object) || PyAsyncGen_CheckExact(object))
        return 1;
    search->found = !is_stream(search, object);
    return !search->found;
}

/* Borrowed references will do: the streams live as long as `sys` names them. */
static void find_streams(struct search *search)
{
    static const char *const names[] = {"__stdin__", "__stdout__", "__stderr__"};
    for (int n = 0; n < 3; n++) {
        PyObject *text = PySys_GetObject(names[n]);
        PyObject *buffer = text ? PyObject_GetAttrString(text, "buffer") : NULL;
        PyObject *file = buffer ? PyObject_GetAttrString(buffer, "raw") : NULL;
        search->streams[3 * n] = text;
        search->streams[3 * n + 1] = buffer;
        search->streams[3 * n + 2] = file;
        Py_XDECREF(buffer);
        Py_XDECREF(file);
        PyErr_Clear();
    }
}

static bool has_finalizable_objects(void)
{
    struct search search = {.found = false};
    find_streams(&search);
    PyUnstable_GC_VisitObjects(is_harmless, &search);
    return search.found;
}

int cw_import_entry(const char *name)
{
    long usual = threshold();
    if (usual < 0 || set_threshold(IMPORT_THRESHOLD) < 0)
        return -1;
    PyObject *module = PyImport_ImportModule(name);
    if (!module)
        return -1;
    Py_DECREF(module);
    /* The program may have chosen a threshold of its own in the meantime. */
    if (threshold() == IMPORT_THRESHOLD && set_threshold(usual) < 0)
        return -1;
    /* Nothing of what was imported needs to be looked at again, unless its end does something. */
    if (has_finalizable_objects())
        return 0;
    PyObject *done = gc_call("freeze", NULL, 0);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

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
    if (!ending || !Py_IsFinalizing()) {
        __real__PyTraceMalloc_Stop();
        return;
    }
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
