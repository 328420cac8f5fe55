#ifndef CW_MODULE_H
#define CW_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "image.h"

/* The built-in module `_coachwhip`: the image as Python code sees it. */
PyObject *PyInit__coachwhip(void);

/* Where a path lies below the app root: its rest without the slash between, its size updated; NULL if elsewhere. */
const char *cw_below_root(const char *path, Py_ssize_t *size);

/* Raises ImportError about a node whose bytes are not what they were; returns NULL. */
PyObject *cw_damaged(const struct cw_node *node);

/* The node at a virtual path; NULL, without an exception, when there is none. */
const struct cw_node *cw_node_at(PyObject *path);

/* The code object of a node; a new reference, or NULL with an exception set. */
PyObject *cw_node_code(const struct cw_node *node);

#endif
