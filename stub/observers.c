#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "observers.h"

#include <opcode_ids.h>
#include <string.h>

#include <internal/pycore_frame.h>
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>

#include "seen.h"
#include "visit.h"

/* sys.stdin, stdout and stderr with what is below them: text, buffer and file of each. */
enum { STREAM_OBJECTS = 9 };

struct search {
    PyObject *streams[STREAM_OBJECTS];
    struct cw_seen plain;
    bool found;
};

static bool is_stream(const struct search *search, const PyObject *object)
{
    for (int n = 0; n < STREAM_OBJECTS; n++)
        if (search->streams[n] == object)
            return true;
    return false;
}

/* Whether code may handle exceptions: every handler of a `try` or `with` begins with the first of these, and what
 * delegates to another generator has the second. They may also be found in the room that instructions have for what
 * they remember. */
static bool has_handlers(const PyCodeObject *code)
{
    const unsigned char *units = (const void *)_PyCode_CODE(code);
    for (Py_ssize_t n = 0; n < Py_SIZE(code); n++)
        if (units[2 * n] == PUSH_EXC_INFO || units[2 * n] == CLEANUP_THROW)
            return true;
    return false;
}

/* A generator that is left in the middle may have a `finally` to run; one that never started has nothing to do, but a
 * coroutine complains about that. */
static bool is_unfinished(PyObject *object)
{
    PyGenObject *generator = (PyGenObject *)object;
    if (FRAME_STATE_SUSPENDED(generator->gi_frame_state))
        return has_handlers(_PyFrame_GetCode((_PyInterpreterFrame *)generator->gi_iframe));
    return generator->gi_frame_state == FRAME_CREATED && PyCoro_CheckExact(object);
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

/* A weak reference whose end calls something of the program's. `abc` and threading.local keep their tables with C
 * functions, and weakref.finalize has run or given up before the last collections. */
static bool has_observer(PyObject *object)
{
    PyObject *callback = ((PyWeakReference *)object)->wr_callback;
    if (!callback || Py_IsNone(callback))
        return false;
    if (PyFunction_Check(callback))
        return !is_standard(callback);
    if (PyCFunction_CheckExact(callback)) {
        const char *name = ((PyCFunctionObject *)callback)->m_ml->ml_name;
        return strcmp(name, "_destroy") != 0 && strcmp(name, "clear_locals") != 0;
    }
    return strcmp(Py_TYPE(callback)->tp_name, "finalize") != 0;
}

static bool is_generator(const PyTypeObject *type)
{
    return type == &PyGen_Type || type == &PyCoro_Type || type == &PyAsyncGen_Type;
}

/* A file in memory, whose end is the end of memory. */
static bool is_buffer(const PyTypeObject *type)
{
    return strcmp(type->tp_name, "_io.BytesIO") == 0 || strcmp(type->tp_name, "_io.StringIO") == 0;
}

static bool is_observed(struct search *search, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    const PyTypeObject **plain = cw_seen_place(&search->plain, type);
    if (*plain == type)
        return false;
    if (is_generator(type))
        return is_unfinished(object);
    if (PyWeakref_Check(object) && has_observer(object))
        return true;
    if (type->tp_finalize || type->tp_del)
        return !is_stream(search, object) && !is_buffer(type);
    if (!PyWeakref_Check(object))
        *plain = type;
    return false;
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

bool cw_has_observed_objects(bool only_new)
{
    struct search search = {.found = false};
    find_streams(&search);
    cw_visit_objects(only_new, stop_at_observed, &search);
    return search.found;
}

/* What has a finalizer that did not run yet, but for the standard streams, and what `sys` has: that ends when there is
 * nothing left by which a finalizer could be heard. */
struct rest {
    struct search search;
    PyObject *objects;
};

static bool is_in_sys(PyObject *object)
{
    PyObject *names = PyInterpreterState_Get()->sysdict;
    PyObject *value;
    for (Py_ssize_t at = 0; names && PyDict_Next(names, &at, NULL, &value);)
        if (value == object)
            return true;
    return false;
}

static int add_unfinalized(PyObject *object, void *argument)
{
    struct rest *rest = argument;
    if (Py_TYPE(object)->tp_finalize && !_PyGC_FINALIZED(object) && !is_stream(&rest->search, object)
        && !is_in_sys(object) && PyList_Append(rest->objects, object) < 0)
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
    cw_visit_objects(false, add_unfinalized, &rest);
    for (Py_ssize_t n = 0; n < PyList_GET_SIZE(rest.objects); n++)
        PyObject_CallFinalizer(PyList_GET_ITEM(rest.objects, n));
    Py_DECREF(rest.objects);
}
