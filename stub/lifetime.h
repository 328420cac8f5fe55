/* The end of a process, made short without a difference that a program can see. */
#ifndef CW_LIFETIME_H
#define CW_LIFETIME_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Not a status: end by SIGINT, so that a shell stops its script or loop, too. */
enum { CW_STATUS_SIGINT = -2 };

/* Ends the process as Py_Exit does: exit handlers, destructors, flushing. */
_Noreturn void cw_exit(int status);

/* Where CPython's finalization would only give back memory from here on: ends the process, if it is what ends. */
void cw_end_process(void);

#endif
