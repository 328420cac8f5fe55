/* Which paths are the product's own: those below the app root, and those below a directory that files were
 * unpacked to. */
#ifndef CW_PATHS_H
#define CW_PATHS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "image.h"

/* Tells this part the image and the executable's path; before that no path is ours. No system calls. */
void cw_paths_start(const struct cw_image *image, const char *self_path);

/* The executable's path, as given at the start. */
const char *cw_self_path(void);

/* Whether this process was started by a product through the path of its interpreter, whatever argv[0] is. */
bool cw_paths_reentered(void);

/* The image; NULL before the start. */
const struct cw_image *cw_paths_image(void);

enum cw_place {
    CW_ELSEWHERE, /* not ours: `real` is the path that libc is to use */
    CW_MISSING,   /* ours, and there is nothing: `fault` is the errno */
    CW_FOUND,     /* a node */
    CW_SELF,      /* the interpreter in bin/, which is the executable */
};

struct cw_path {
    enum cw_place place;
    bool unpacked; /* the path was one below a directory of unpacked files */
    int fault;
    const char *real;
    const struct cw_node *node;
    size_t size;
    char below[PATH_MAX]; /* below the root, without ., .. and extra slashes */
};

/* Finds out what `path` is. */
void cw_path_look(struct cw_path *at, const char *path);

/* From now on paths below `root` (`size` bytes, static storage) stand for those below the app root. */
void cw_paths_unpacked(const char *root, size_t size);

/* Whether `path` lies below a directory of unpacked files; whether there is any such directory. */
bool cw_paths_below_unpacked(const char *path);
bool cw_paths_any_unpacked(void);

/* The spelling of the executable's path that makes the process that runs it an interpreter. */
#define CW_REENTRY "/.//."

/* The cheap question that every wrapper asks first; true for a few paths that are not ours. */
static inline bool cw_maybe_ours(const char *path)
{
    if (!path || path[0] != '/')
        return false;
    if (path[1] == '/' || path[1] == '.')
        return true;
    if (path[1] == '_' && path[2] == '_' && path[3] == 'a' && path[4] == 'p' && path[5] == 'p')
        return true;
    return cw_paths_below_unpacked(path);
}

#endif
