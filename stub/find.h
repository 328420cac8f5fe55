#ifndef CW_FIND_H
#define CW_FIND_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* find(directory, name): what an import of the name finds in a directory of the image. Returns None, or (kind,
 * origin, cached, is_package): kind is 's' (code), 'x' (extension module) or 'n' (a directory, which may be a
 * portion of a namespace package). */
PyObject *cw_find(PyObject *self, PyObject *const *args, Py_ssize_t count);

#endif
