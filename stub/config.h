#ifndef CW_CONFIG_H
#define CW_CONFIG_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "start.h"

/* Initialises CPython for a start: isolated, with the image's finder in place. Ends the process on failure. */
void cw_initialize(const struct cw_start *start);

#endif
