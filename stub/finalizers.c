#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "finalizers.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_typeobject.h>

#include "visit.h"

struct count {
    PyObject *name; /* __del__ */
    long found;
};

/* Types in C have a `__del__` as well, for what only concerns themselves. */
static int visit(PyObject *object, void *argument)
{
    struct count *count = argument;
    PyTypeObject *type = Py_TYPE(object);
    if (type->tp_finalize && type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        PyObject *method = _PyType_Lookup(type, count->name);
        count->found += method && PyFunction_Check(method);
    }
    return 1;
}

static void append(PyGC_Head *from, PyGC_Head *to)
{
    PyGC_Head *first = _PyGCHead_NEXT(from), *last = _PyGCHead_PREV(from), *before = _PyGCHead_PREV(to);
    if (first == from)
        return;
    _PyGCHead_SET_NEXT(before, first);
    _PyGCHead_SET_PREV(first, before);
    _PyGCHead_SET_NEXT(last, to);
    _PyGCHead_SET_PREV(to, last);
    _PyGCHead_SET_NEXT(from, from);
    _PyGCHead_SET_PREV(from, from);
}

/* As gc.freeze(), which is watched. */
static void freeze(void)
{
    struct _gc_runtime_state *collector = &PyInterpreterState_Get()->gc;
    for (int n = 0; n < NUM_GENERATIONS; n++) {
        append(&collector->generations[n].head, &collector->permanent_generation.head);
        collector->generations[n].count = 0;
    }
}

static bool has_frozen(void)
{
    PyGC_Head *frozen = &PyInterpreterState_Get()->gc.permanent_generation.head;
    return _PyGCHead_NEXT(frozen) != frozen;
}

long cw_count_finalizers(void)
{
    static long all;
    struct count count = {.name = PyUnicode_InternFromString("__del__")};
    if (!count.name)
        return -1;
    cw_visit_objects(true, visit, &count);
    Py_DECREF(count.name);
    all = has_frozen() ? all + count.found : count.found; /* those that somebody has unfrozen are found again */
    freeze();
    return all;
}
