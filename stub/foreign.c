#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE 1
#include <Python.h>

#include "foreign.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <internal/pycore_gc.h>

#include "paths.h"
#include "seen.h"

/* How deep containers that the collector does not look into may be nested before nobody looks any further. */
enum { DEEPEST = 16 };

typedef void init_function(void);

/* libpython's own, called through --wrap. */
init_function *__real__PyImport_FindSharedFuncptr(const char *prefix, const char *name, const char *path, FILE *file);
init_function *__wrap__PyImport_FindSharedFuncptr(const char *prefix, const char *name, const char *path, FILE *file);

/* Set by the linker: where the executable's code begins and ends. */
extern const char __executable_start[], etext[];

static _Atomic bool has_library;

struct search {
    struct cw_seen seen;
    int depth;
    bool found;
};

/* What the objects of a library do when they end only the library knows, unless it can do nothing that would be
 * noticed: then the builder has said so. */
static bool is_quiet(const char *path)
{
    struct cw_path at;
    cw_path_look(&at, path);
    return at.place == CW_FOUND && at.node->flags & CW_QUIET;
}

/* Sees extension modules being loaded. */
init_function *__wrap__PyImport_FindSharedFuncptr(const char *prefix, const char *name, const char *path, FILE *file)
{
    if (!is_quiet(path))
        has_library = true;
    return __real__PyImport_FindSharedFuncptr(prefix, name, path, file);
}

static bool is_foreign_code(uintptr_t address)
{
    Dl_info library;
    if (!address || (address >= (uintptr_t)__executable_start && address < (uintptr_t)etext))
        return false;
    return !dladdr((const void *)address, &library) || !is_quiet(library.dli_fname);
}

static bool is_foreign_type(const PyTypeObject *type)
{
    for (; type; type = type->tp_base)
        if (is_foreign_code((uintptr_t)type->tp_dealloc) || is_foreign_code((uintptr_t)type->tp_free))
            return true;
    return false;
}

/* By a capsule that is called like an attribute of its module, the module offers functions to others: its end is the
 * end of a table. Other capsules stand for anything. */
static bool is_interface(PyObject *capsule)
{
    const char *name = PyCapsule_GetName(capsule);
    const char *dot = name ? strrchr(name, '.') : NULL;
    PyObject *module = dot ? PyUnicode_FromStringAndSize(name, dot - name) : NULL;
    int found = module ? PyDict_Contains(PyImport_GetModuleDict(), module) : 0;
    Py_XDECREF(module);
    return found > 0;
}

static bool is_foreign_capsule(PyObject *object)
{
    PyCapsule_Destructor destructor = PyCapsule_GetDestructor(object);
    bool found = is_foreign_code((uintptr_t)destructor) && !is_interface(object);
    PyErr_Clear();
    return found;
}

static bool is_foreign(struct search *search, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    const PyTypeObject **seen = cw_seen_place(&search->seen, type);
    if (*seen == type)
        return false;
    if (PyCapsule_CheckExact(object))
        return is_foreign_capsule(object);
    if (is_foreign_type(type))
        return true;
    *seen = type;
    return false;
}

static int visit_referent(PyObject *object, void *argument);

/* Looks into a container that the collector does not look into, as nothing in it can be part of a cycle. */
static int visit_container(PyObject *object, struct search *search)
{
    if (++search->depth > DEEPEST)
        search->found = true;
    else if (Py_TYPE(object)->tp_traverse)
        Py_TYPE(object)->tp_traverse(object, visit_referent, search);
    search->depth--;
    return search->found;
}

/* What the collector knows is visited in any case. */
static inline int visit_referent(PyObject *object, void *argument)
{
    struct search *search = argument;
    if (PyUnicode_CheckExact(object))
        return 0;
    bool collected = PyType_IS_GC(Py_TYPE(object)) && PyObject_IS_GC(object);
    if (collected && _PyObject_GC_IS_TRACKED(object))
        return 0;
    if (is_foreign(search, object))
        return search->found = true;
    return collected ? visit_container(object, search) : 0;
}

static void visit_items(PyObject *const *items, Py_ssize_t count, struct search *search)
{
    for (Py_ssize_t n = 0; n < count && !search->found; n++)
        if (items[n])
            visit_referent(items[n], search);
}

static int stop_at_foreign(PyObject *object, void *argument)
{
    struct search *search = argument;
    /* Most objects are of these two types, and have all their referents in a row. */
    if (PyTuple_CheckExact(object))
        visit_items(((PyTupleObject *)object)->ob_item, Py_SIZE(object), search);
    else if (PyList_CheckExact(object))
        visit_items(((PyListObject *)object)->ob_item, Py_SIZE(object), search);
    else if (is_foreign(search, object))
        search->found = true;
    else
        Py_TYPE(object)->tp_traverse(object, visit_referent, search);
    return !search->found;
}

bool cw_has_foreign_objects(void)
{
    if (!has_library)
        return false;
    struct search search = {.found = false};
    PyUnstable_GC_VisitObjects(stop_at_foreign, &search);
    return search.found;
}
