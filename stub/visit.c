#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "visit.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>

void cw_visit_objects(bool only_new, gcvisitobjects_t visit, void *argument)
{
    if (!only_new) {
        PyUnstable_GC_VisitObjects(visit, argument);
        return;
    }
    struct _gc_runtime_state *collector = &PyInterpreterState_Get()->gc;
    for (int n = 0; n < NUM_GENERATIONS; n++) {
        PyGC_Head *head = &collector->generations[n].head;
        for (PyGC_Head *item = _PyGCHead_NEXT(head); item != head; item = _PyGCHead_NEXT(item))
            if (!visit((PyObject *)(item + 1), argument))
                return;
    }
}
