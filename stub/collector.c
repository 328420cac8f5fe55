#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "collector.h"

#include <stdbool.h>

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>

#include "foreign.h"
#include "lifetime.h"
#include "observers.h"

/* What the youngest generation may hold while modules are imported. */
enum { IMPORT_THRESHOLD = 200000 };

/* libpython's own, called through --wrap. */
Py_ssize_t __real_PyGC_Collect(void);
Py_ssize_t __wrap_PyGC_Collect(void);
void __real__PyGC_CollectNoFail(PyThreadState *thread);
void __wrap__PyGC_CollectNoFail(PyThreadState *thread);

/* The main interpreter's imports under way, and what the threshold was before; protected by its GIL. */
static int imports;
static int usual_threshold;

static struct _gc_runtime_state *main_collector(void)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    return interpreter == PyInterpreterState_Main() ? &interpreter->gc : NULL;
}

void cw_import_begins(void)
{
    struct _gc_runtime_state *collector = main_collector();
    if (!collector || imports++)
        return;
    usual_threshold = collector->generations[0].threshold;
    if (usual_threshold > 0 && usual_threshold < IMPORT_THRESHOLD)
        collector->generations[0].threshold = IMPORT_THRESHOLD;
}

/* Has the youngest generation join the oldest without looking for garbage in it: what an import leaves is in use,
 * and what is not is found when the oldest is collected. */
static void promote(struct _gc_runtime_state *collector)
{
    PyGC_Head *young = &collector->generations[0].head;
    PyGC_Head *old = &collector->generations[NUM_GENERATIONS - 1].head;
    PyGC_Head *first = _PyGCHead_NEXT(young), *last = _PyGCHead_PREV(young);
    if (first == young || collector->collecting)
        return;
    PyGC_Head *before = _PyGCHead_PREV(old);
    _PyGCHead_SET_NEXT(before, first);
    _PyGCHead_SET_PREV(first, before);
    _PyGCHead_SET_NEXT(last, old);
    _PyGCHead_SET_PREV(old, last);
    _PyGCHead_SET_NEXT(young, young);
    _PyGCHead_SET_PREV(young, young);
    collector->long_lived_total += collector->generations[0].count;
    collector->generations[0].count = 0;
}

void cw_import_ends(void)
{
    struct _gc_runtime_state *collector = main_collector();
    if (!collector || --imports)
        return;
    if (collector->generations[0].count > usual_threshold)
        promote(collector);
    /* A module may have chosen a threshold for the program. */
    if (collector->generations[0].threshold == IMPORT_THRESHOLD)
        collector->generations[0].threshold = usual_threshold;
}

/* gc.freeze() or gc.unfreeze() */
static int call(const char *function)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *done = gc ? PyObject_CallMethod(gc, function, NULL) : NULL;
    Py_XDECREF(gc);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* Whether there is a snapshot's memory, some of which is immortal; and whether all of it is frozen, as nobody notices
 * its end. */
static bool has_base, is_base_frozen;

int cw_freeze_base(void)
{
    has_base = true;
    is_base_frozen = !cw_has_observed_objects(false);
    return is_base_frozen ? call("freeze") : 0;
}

int cw_import_entry(const char *name)
{
    cw_import_begins();
    PyObject *module = PyImport_ImportModule(name);
    cw_import_ends();
    Py_XDECREF(module);
    if (!module)
        return -1;
    return is_base_frozen || cw_has_observed_objects(false) ? 0 : call("freeze");
}

/* Nobody but the collector itself looks at what it does. */
static bool is_unobserved(const struct _gc_runtime_state *collector)
{
    return !collector->debug && collector->callbacks && PyList_GET_SIZE(collector->callbacks) == 0;
}

static bool is_alone(void)
{
    return !PyInterpreterState_Next(PyInterpreterState_Head());
}

/* CPython collects at the end, and then clears all modules, for the sake of what happens when objects end. Where
 * nothing would, this is the end. Otherwise everything takes part again, as what was left out of collections keeps
 * alive what it refers to. */
Py_ssize_t __wrap_PyGC_Collect(void)
{
    struct _gc_runtime_state *collector = Py_IsFinalizing() ? main_collector() : NULL;
    if (!collector)
        return __real_PyGC_Collect();
    bool silent = is_alone() && is_unobserved(collector);
    if (silent && !cw_has_observed_objects(is_base_frozen) && !cw_has_foreign_objects(is_base_frozen))
        cw_end_process();
    if (call("unfreeze") < 0)
        PyErr_Clear();
    return __real_PyGC_Collect();
}

void cw_finalize_rest(void)
{
    if (has_base)
        cw_finalize_observed();
}

/* Collects when the modules are gone. What is below those of a snapshot lives on, as they are immortal, but has to end
 * as long as it can still print. */
void __wrap__PyGC_CollectNoFail(PyThreadState *thread)
{
    __real__PyGC_CollectNoFail(thread);
    if (Py_IsFinalizing() && main_collector())
        cw_finalize_rest();
}
