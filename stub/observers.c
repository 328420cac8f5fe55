#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "observers.h"

#include <stdio.h>
#include <string.h>

#include <internal/pycore_frame.h>
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>

/* sys.stdin, stdout and stderr with what is below them: text, buffer and file of each. */
enum { STREAM_OBJECTS = 9 };

typedef void init_function(void);

/* libpython's own, called through --wrap. */
init_function *__real__PyImport_FindSharedFuncptr(const char *prefix, const char *name, const char *path, FILE *file);
init_function *__wrap__PyImport_FindSharedFuncptr(const char *prefix, const char *name, const char *path, FILE *file);

static _Atomic bool has_library;

struct search {
    PyObject *streams[STREAM_OBJECTS];
    bool found;
};

/* Sees extension modules being loaded. */
init_function *__wrap__PyImport_FindSharedFuncptr(const char *prefix, const char *name, const char *path, FILE *file)
{
    has_library = true;
    return __real__PyImport_FindSharedFuncptr(prefix, name, path, file);
}

bool cw_has_foreign_objects(void)
{
    return has_library;
}

static bool is_stream(const struct search *search, const PyObject *object)
{
    for (int n = 0; n < STREAM_OBJECTS; n++)
        if (search->streams[n] == object)
            return true;
    return false;
}

/* A generator that is left in the middle may have a `finally` to run; one that never started has nothing to do, but a
 * coroutine complains about that. */
static bool is_unfinished(PyObject *object)
{
    int state = ((PyGenObject *)object)->gi_frame_state;
    return FRAME_STATE_SUSPENDED(state) || (state == FRAME_CREATED && PyCoro_CheckExact(object));
}

/* Whether a function is of the standard library: its weak references only keep tables tidy. */
static bool is_standard(PyObject *function)
{
    PyObject *module = PyFunction_GetModule(function);
    PyObject *names = PySys_GetObject("stdlib_module_names");
    const char *name = module && PyUnicode_Check(module) ? PyUnicode_AsUTF8(module) : NULL;
    PyObject *top = name ? PyUnicode_FromStringAndSize(name, (Py_ssize_t)strcspn(name, ".")) : NULL;
    int result = top && names ? PySequence_Contains(names, top) : 0;
    Py_XDECREF(top);
    PyErr_Clear();
    return result > 0;
}

/* A weak reference whose end calls something of the program's. `abc` keeps its tables with C functions, and
 * weakref.finalize has run or given up before the last collections. */
static bool has_observer(PyObject *object)
{
    PyObject *callback = ((PyWeakReference *)object)->wr_callback;
    if (!callback || Py_IsNone(callback))
        return false;
    if (PyFunction_Check(callback))
        return !is_standard(callback);
    if (PyCFunction_CheckExact(callback))
        return strcmp(((PyCFunctionObject *)callback)->m_ml->ml_name, "_destroy") != 0;
    return strcmp(Py_TYPE(callback)->tp_name, "finalize") != 0;
}

static bool is_observed(const struct search *search, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (PyGen_Check(object) || PyCoro_CheckExact(object) || PyAsyncGen_CheckExact(object))
        return is_unfinished(object);
    if (PyWeakref_Check(object) && has_observer(object))
        return true;
    return (type->tp_finalize || type->tp_del) && !is_stream(search, object);
}

static int stop_at_observed(PyObject *object, void *argument)
{
    struct search *search = argument;
    search->found = is_observed(search, object);
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

bool cw_has_observed_objects(void)
{
    struct search search = {.found = false};
    find_streams(&search);
    PyUnstable_GC_VisitObjects(stop_at_observed, &search);
    return search.found;
}

bool cw_has_new_observed_objects(void)
{
    struct search search = {.found = false};
    find_streams(&search);
    struct _gc_runtime_state *collector = &PyInterpreterState_Get()->gc;
    for (int n = 0; n < NUM_GENERATIONS && !search.found; n++) {
        PyGC_Head *head = &collector->generations[n].head;
        for (PyGC_Head *item = _PyGCHead_NEXT(head); item != head && !search.found; item = _PyGCHead_NEXT(item))
            stop_at_observed((PyObject *)(item + 1), &search);
    }
    return search.found;
}

/* What ends after everything else, as it does without a snapshot. */
static bool is_value_of(PyObject *names, const PyObject *object)
{
    PyObject *value;
    for (Py_ssize_t at = 0; names && PyDict_Next(names, &at, NULL, &value);)
        if (value == object)
            return true;
    return false;
}

static bool ends_last(const PyObject *object)
{
    const PyInterpreterState *interpreter = PyInterpreterState_Get();
    return is_value_of(interpreter->sysdict, object) || is_value_of(interpreter->builtins, object);
}

/* What has a finalizer that did not run yet, but for the standard streams. */
struct rest {
    struct search search;
    PyObject *objects;
};

static int add_unfinalized(PyObject *object, void *argument)
{
    struct rest *rest = argument;
    if (Py_TYPE(object)->tp_finalize && !_PyGC_FINALIZED(object) && !is_stream(&rest->search, object)
        && !ends_last(object) && PyList_Append(rest->objects, object) < 0)
        PyErr_Clear();
    return 1;
}

void cw_finalize_observed(void)
{
    struct rest rest = {.objects = PyList_New(0)};
    if (!rest.objects) {
        PyErr_Clear();
        return;
    }
    find_streams(&rest.search);
    PyUnstable_GC_VisitObjects(add_unfinalized, &rest);
    for (Py_ssize_t n = 0; n < PyList_GET_SIZE(rest.objects); n++)
        PyObject_CallFinalizer(PyList_GET_ITEM(rest.objects, n));
    Py_DECREF(rest.objects);
}
