#ifndef CW_START_H
#define CW_START_H

#include <stdbool.h>

/* How a product was asked to behave. */
struct cw_start {
    int argc;
    char **argv;
    bool interpreter; /* act as python(1) on these arguments instead of running the app */
};

/* Decides between the app and the interpreter, from argv[0] and COACHWHIP_INTERPRETER, and removes that
 * variable from the environment: programs that the app starts must not see it. */
struct cw_start cw_start_of(int argc, char **argv);

/* Starts CPython and runs to the end. Returns the exit status of the process. */
int cw_run(const struct cw_start *start);

/* The same for a process that goes on from a snapshot. */
int cw_continue(const struct cw_start *start);

#endif
