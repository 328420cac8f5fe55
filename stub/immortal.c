#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "immortal.h"

#include <stdbool.h>

#include <internal/pycore_interp.h>
#include <internal/pycore_typeobject.h>

static int visit(PyObject *object, void *unused);

static void visit_all(PyObject *const *objects, size_t count)
{
    for (size_t n = 0; n < count; n++)
        if (objects[n])
            visit(objects[n], NULL);
}

static void visit_code(const PyCodeObject *code)
{
    PyObject *const parts[] = {
        code->co_consts,           code->co_names,    code->co_exceptiontable, code->co_localsplusnames,
        code->co_localspluskinds,  code->co_filename, code->co_name,           code->co_qualname,
        code->co_linetable,
    };
    visit_all(parts, sizeof parts / sizeof *parts);
}

/* Constants: their parts are constants, too. */
static bool is_constant(PyObject *object)
{
    return PyUnicode_CheckExact(object) || PyBytes_CheckExact(object) || PyLong_CheckExact(object)
        || PyFloat_CheckExact(object) || PyComplex_CheckExact(object) || PyTuple_CheckExact(object)
        || PyFrozenSet_CheckExact(object) || PyCode_Check(object);
}

/* What a program is made of. It may be taken apart, as modules in tests are, but is not made and dropped again and
 * again; lists, dictionaries and instances are, with whatever is in them by then. */
static bool is_structure(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    return PyFunction_Check(object) || PyCFunction_Check(object) || PyType_Check(object) || PyModule_CheckExact(object)
        || PyCell_Check(object) || type == &PyProperty_Type || type == &PyClassMethod_Type
        || type == &PyStaticMethod_Type || type == &PyMethodDescr_Type || type == &PyClassMethodDescr_Type
        || type == &PyGetSetDescr_Type || type == &PyMemberDescr_Type || type == &PyWrapperDescr_Type;
}

static void set_immortal(PyObject *object)
{
    Py_SET_REFCNT(object, _Py_IMMORTAL_REFCNT);
}

/* The module that is filled anew at every start, and ends like that of any script. */
static PyObject *main_module;

static int visit(PyObject *object, void *unused)
{
    (void)unused;
    if (_Py_IsImmortal(object) || object == main_module || !(is_constant(object) || is_structure(object)))
        return 0;
    set_immortal(object);
    if (PyCode_Check(object))
        visit_code((const PyCodeObject *)object);
    else if (PyTuple_CheckExact(object))
        visit_all(((PyTupleObject *)object)->ob_item, (size_t)PyTuple_GET_SIZE(object));
    return 0;
}

/* The collector does not look at the keys of dictionaries when all are texts. */
static void visit_items(PyObject *dict)
{
    PyObject *key, *value;
    for (Py_ssize_t at = 0; PyDict_Next(dict, &at, &key, &value);) {
        visit(key, NULL);
        visit(value, NULL);
    }
}

static int visit_tracked(PyObject *object, void *unused)
{
    visit(object, unused);
    if (PyDict_CheckExact(object))
        visit_items(object);
    else if (Py_TYPE(object)->tp_traverse)
        Py_TYPE(object)->tp_traverse(object, visit, NULL);
    PyObject *names = NULL;
    if (PyModule_CheckExact(object) && object != main_module)
        names = PyModule_GetDict(object);
    else if (PyType_Check(object))
        names = _PyType_GetDict((PyTypeObject *)object);
    if (names && !_Py_IsImmortal(names))
        set_immortal(names);
    return 1;
}

/* Names that were looked up once and are of nothing any more go when another one takes their place, one page each. */
static void visit_cached_names(void)
{
    const struct type_cache *cache = &PyInterpreterState_Get()->types.type_cache;
    for (size_t n = 0; n < sizeof cache->hashtable / sizeof *cache->hashtable; n++)
        if (cache->hashtable[n].name)
            visit(cache->hashtable[n].name, NULL);
}

void cw_make_immortal(void)
{
    main_module = PyImport_AddModule("__main__");
    PyUnstable_GC_VisitObjects(visit_tracked, NULL);
    visit_cached_names();
}
