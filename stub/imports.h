#ifndef CW_IMPORTS_H
#define CW_IMPORTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* exec_module(loader, module): runs the code that the image has at loader.path in the module. */
PyObject *cw_exec_module(PyObject *self, PyObject *const *args, Py_ssize_t count);

#endif
