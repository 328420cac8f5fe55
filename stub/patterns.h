#ifndef CW_PATTERNS_H
#define CW_PATTERNS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* What `_sre.compile` is to be called with, behind the pattern, for `re.compile(pattern, flags)`: a new
 * reference to a tuple; NULL, without an exception, when the product has no such pattern. */
PyObject *cw_pattern(PyObject *pattern, PyObject *flags);

#endif
