/* What the wrappers of libc functions share. Every wrapper asks cw_maybe_ours() first and, for nearly all
 * paths, goes straight on to libc. */
#ifndef CW_WRAP_H
#define CW_WRAP_H

#include <errno.h>
#include <stdbool.h>

#include "next.h"
#include "paths.h"
#include "unpack.h"

/* open(2) as libpython calls it, through --wrap: files that are small are not unpacked for it. Libraries may count on a
 * file's being where its path says, as when they open it again by another name; Python code has virtual paths. */
int __wrap_open64(const char *path, int flags, unsigned mode);

/* Turns a negated errno into what libc functions return. */
static inline int cw_result(int value)
{
    if (value >= 0)
        return value;
    errno = -value;
    return -1;
}

/* Returns true when libc is to be asked, with `at->real`. For a path below a directory of unpacked files, that
 * is what it names, made real. */
bool cw_leave_to_libc(struct cw_path *at, enum cw_scope directories);

/* The cheap question for a path that may be relative to an open directory, which in turn may be one that was
 * unpacked only in part. */
static inline bool cw_maybe_ours_at(int dir, const char *path)
{
    return cw_maybe_ours(path) || (dir >= 0 && path && path[0] && path[0] != '/' && cw_paths_any_unpacked());
}

/* Makes what such a relative path names real; for the others there is nothing to do. */
void cw_touch_at(int dir, const char *path);

/* The real path of what `path` names, unpacked: for functions that only work on such. NULL with errno set
 * when there is none. `room` holds the result unless libc is to be given (a part of) `path` itself. */
const char *cw_real_path(const char *path, enum cw_scope directories, char room[PATH_MAX]);

#endif
