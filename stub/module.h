#ifndef CW_MODULE_H
#define CW_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "image.h"

/* The built-in module `_coachwhip`: the image as Python code sees it. */
PyObject *PyInit__coachwhip(void);

/* The code object of a node; a new reference, or NULL with an exception set. */
PyObject *cw_node_code(const struct cw_node *node);

#endif
