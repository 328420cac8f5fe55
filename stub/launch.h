/* What to run, and with which texts, when a program is started. */
#ifndef CW_LAUNCH_H
#define CW_LAUNCH_H

#include <limits.h>

#include "rewrite.h"

struct cw_launch {
    const char *program; /* a real path */
    char *const *argv;
    char *const *envp;
};

/* Starts a program; returns 0 or a negated errno. */
typedef int cw_runner(const struct cw_launch *launch, void *context);

/* Calls `run` with what is to be given to the kernel in place of these arguments, and returns its result, or
 * a negated errno when the program is ours and can't be run. Safe in a child of vfork(). */
int cw_launch(const struct cw_launch *asked, cw_runner *run, void *context);

/* The path of `file` as execvp(3) finds it in $PATH, the directories of the product in it included. Returns
 * `file` itself when there is none, or it has a slash; otherwise `room`. */
const char *cw_search(const char *file, char room[PATH_MAX]);

#endif
