#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "imports.h"

#include <stdbool.h>

#include <internal/pycore_interp.h>

#include "collector.h"
#include "module.h"
#include "patterns.h"
#include "stub.h"

#define REGEX_COMPILER CW_ROOT "/lib/python" CW_PYTHON_VERSION "/re/_compiler.py"

/* Runs a module's code. importlib's own function is between, by whose name tracebacks know what to leave out. */
static PyObject *execute(PyObject *code, PyObject *module)
{
    /* Not by name: programs that import a second importlib take this one out of sys.modules. */
    PyObject *importlib = PyInterpreterState_Get()->imports.importlib;
    PyObject *builtins = PyEval_GetBuiltins();
    PyObject *exec = PyDict_GetItemString(builtins, "exec");
    PyObject *scope = PyModule_GetDict(module);
    PyObject *result = NULL;
    if (importlib && exec && scope) {
        cw_import_begins();
        result = PyObject_CallMethod(importlib, "_call_with_frames_removed", "OOO", exec, code, scope);
        cw_import_ends();
    }
    return result;
}

/* `re._compiler.compile(pattern, flags)` with the product's patterns asked first; `original` is the function of that
 * name. In C, for a frame in between would shift what warnings and tracebacks name. */
static PyObject *compile_pattern(PyObject *original, PyObject *const *args, size_t count, PyObject *names)
{
    Py_ssize_t given = PyVectorcall_NARGS(count);
    PyObject *built = given == 2 && !names ? cw_pattern(args[0], args[1]) : NULL;
    if (!built)
        return PyObject_Vectorcall(original, args, count, names);
    PyObject *sre = PyImport_ImportModule("_sre");
    PyObject *compile = sre ? PyObject_GetAttrString(sre, "compile") : NULL;
    PyObject *pattern = PyTuple_Pack(1, args[0]);
    PyObject *all = pattern ? PySequence_Concat(pattern, built) : NULL;
    PyObject *result = compile && all ? PyObject_Call(compile, all, NULL) : NULL;
    Py_XDECREF(all);
    Py_XDECREF(pattern);
    Py_XDECREF(compile);
    Py_XDECREF(sre);
    Py_DECREF(built);
    return result;
}

static PyMethodDef COMPILE = {"compile", (PyCFunction)(void (*)(void))compile_pattern, METH_FASTCALL | METH_KEYWORDS,
                              "compile(p, flags=0): compile a pattern, or take it from the product."};

static int use_built_patterns(PyObject *compiler)
{
    PyObject *original = PyObject_GetAttrString(compiler, COMPILE.ml_name);
    PyObject *ours = original ? PyCFunction_New(&COMPILE, original) : NULL;
    int result = ours ? PyObject_SetAttrString(compiler, COMPILE.ml_name, ours) : -1;
    Py_XDECREF(ours);
    Py_XDECREF(original);
    return result;
}

/* A module's code. What could not be compiled at build time has only its source, and a SyntaxError to raise. */
static PyObject *code_of(PyObject *loader, PyObject *path)
{
    const struct cw_node *node = cw_node_at(path);
    if (node && node->flags & CW_HAS_CODE)
        return cw_node_code(node);
    PyObject *source = PyObject_CallMethod(loader, "get_data", "O", path);
    PyObject *code = source ? PyObject_CallMethod(loader, "source_to_code", "OO", source, path) : NULL;
    Py_XDECREF(source);
    return code;
}

PyObject *cw_exec_module(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    if (count != 2 || !PyModule_Check(args[1]))
        return PyErr_Format(PyExc_TypeError, "exec_module() takes a loader and a module");
    PyObject *path = PyObject_GetAttrString(args[0], "path");
    PyObject *code = path ? code_of(args[0], path) : NULL;
    PyObject *result = code ? execute(code, args[1]) : NULL;
    bool is_compiler = path && PyUnicode_CompareWithASCIIString(path, REGEX_COMPILER) == 0;
    if (result && is_compiler && use_built_patterns(args[1]) < 0)
        Py_CLEAR(result);
    Py_XDECREF(code);
    Py_XDECREF(path);
    return result;
}
