/* What the wrappers of libc functions share. Every wrapper asks cw_maybe_ours() first and, for nearly all
 * paths, goes straight on to libc. */
#ifndef CW_WRAP_H
#define CW_WRAP_H

#include <errno.h>
#include <stdbool.h>

#include "next.h"
#include "paths.h"
#include "unpack.h"

/* Turns a negated errno into what libc functions return. */
static inline int cw_result(int value)
{
    if (value >= 0)
        return value;
    errno = -value;
    return -1;
}

/* For a path below a directory of unpacked files: makes what it names real, so that libc finds it there.
 * Returns true when libc is to be asked, with `at->real`. */
bool cw_leave_to_libc(struct cw_path *at, enum cw_scope directories);

/* The same for a path relative to an open directory, which may be one that was unpacked only in part. */
void cw_touch_at(int dir, const char *path);

/* The real path of what `path` names, unpacked: for functions that only work on such. NULL with errno set
 * when there is none. `room` holds the result unless libc is to be given (a part of) `path` itself. */
const char *cw_real_path(const char *path, enum cw_scope directories, char room[PATH_MAX]);

#endif
