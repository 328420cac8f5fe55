#include "imports.h"

#include "collector.h"
#include "module.h"
#include "stub.h"

/* Runs a module's code. importlib's own function is between, by whose name tracebacks know what to leave out. */
static PyObject *execute(PyObject *code, PyObject *module)
{
    PyObject *importlib = PyImport_ImportModule("_frozen_importlib");
    PyObject *builtins = PyEval_GetBuiltins();
    PyObject *exec = PyDict_GetItemString(builtins, "exec");
    PyObject *scope = PyModule_GetDict(module);
    PyObject *result = NULL;
    if (importlib && exec && scope) {
        cw_import_begins();
        result = PyObject_CallMethod(importlib, "_call_with_frames_removed", "OOO", exec, code, scope);
        cw_import_ends();
    }
    Py_XDECREF(importlib);
    return result;
}

/* Some modules have a part in the product beside their own. */
static PyObject *finish(PyObject *loader, PyObject *module)
{
    PyObject *name = PyObject_GetAttrString(loader, "name");
    PyObject *result = Py_NewRef(Py_None);
    if (name && PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "re._compiler") == 0) {
        PyObject *boot = PyImport_ImportModule("_coachwhip_boot");
        Py_SETREF(result, boot ? PyObject_CallMethod(boot, "use_built_patterns", "O", module) : NULL);
        Py_XDECREF(boot);
    }
    Py_XDECREF(name);
    return name ? result : NULL;
}

PyObject *cw_exec_module(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    if (count != 2 || !PyModule_Check(args[1]))
        return PyErr_Format(PyExc_TypeError, "exec_module() takes a loader and a module");
    PyObject *path = PyObject_GetAttrString(args[0], "path");
    const struct cw_node *node = path ? cw_node_at(path) : NULL;
    PyObject *result = NULL;
    if (node && node->flags & CW_HAS_CODE) {
        PyObject *code = cw_node_code(node);
        result = code ? execute(code, args[1]) : NULL;
        Py_XDECREF(code);
    } else if (path)
        PyErr_Format(PyExc_ImportError, "there is no code at %R in this program", path);
    Py_XDECREF(path);
    if (!result)
        return NULL;
    Py_DECREF(result);
    return finish(args[0], args[1]);
}
