#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "visit.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>

static bool visit_list(PyGC_Head *head, gcvisitobjects_t visit, void *argument)
{
    for (PyGC_Head *item = _PyGCHead_NEXT(head); item != head; item = _PyGCHead_NEXT(item))
        if (!visit((PyObject *)(item + 1), argument))
            return false;
    return true;
}

/* Unlike PyUnstable_GC_VisitObjects() this does not write to the objects, most of which lie in pages that are shared
 * with other processes as long as nobody does. */
void cw_visit_objects(bool only_new, gcvisitobjects_t visit, void *argument)
{
    struct _gc_runtime_state *collector = &PyInterpreterState_Get()->gc;
    for (int n = 0; n < NUM_GENERATIONS; n++)
        if (!visit_list(&collector->generations[n].head, visit, argument))
            return;
    if (!only_new)
        visit_list(&collector->permanent_generation.head, visit, argument);
}
