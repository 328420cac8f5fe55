#ifndef CW_MODULE_H
#define CW_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "image.h"

/* The built-in module `_coachwhip`: the image as Python code sees it. */
PyObject *PyInit__coachwhip(void);

/* The node at a virtual path; NULL, without an exception, when there is none. */
const struct cw_node *cw_node_at(PyObject *path);

/* The code object of a node; a new reference, or NULL with an exception set. */
PyObject *cw_node_code(const struct cw_node *node);

#endif
