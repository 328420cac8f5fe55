/* The other functions that take a path. */
#define _GNU_SOURCE 1
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "content.h"
#include "stub.h"
#include "sys.h"
#include "wrap.h"

#include "live.h"

/* 0 when `path` is ours and there, its errno when it is ours and missing, ASK_LIBC for `at->real`. */
enum { ASK_LIBC = -1 };
static int presence(struct cw_path *at, const char *path)
{
    cw_path_look(at, path);
    if (cw_leave_to_libc(at, CW_ONE))
        return ASK_LIBC;
    return at->place == CW_MISSING ? at->fault : 0;
}

static int check(const struct cw_path *at, int mode)
{
    if (mode & W_OK)
        return cw_result(-EROFS);
    bool runs = at->place == CW_SELF || (cw_node_mode(at->node) & 0111);
    return cw_result(mode & X_OK && !runs ? -EACCES : 0);
}

typedef int access_type(const char *, int);

static __attribute__((noinline)) int access_slowly(access_type *next, const char *path, int mode)
{
    struct cw_path at;
    int fault = presence(&at, path);
    if (fault == ASK_LIBC)
        return next(at.real, mode);
    return fault ? cw_result(-fault) : check(&at, mode);
}

#define ACCESS(name)                                                                                         \
    CW_NEXT(name, int, const char *, int)                                                                    \
    int cw_##name(const char *path, int mode) CW_EXPORT(name);                                               \
    int cw_##name(const char *path, int mode)                                                                \
    {                                                                                                        \
        if (cw_maybe_ours(path))                                                                             \
            return access_slowly(next_##name(), path, mode);                                                 \
        return next_##name()(path, mode);                                                                    \
    }

ACCESS(access)
ACCESS(eaccess)
ACCESS(euidaccess)

CW_NEXT(faccessat, int, int, const char *, int, int)
static __attribute__((noinline)) int faccessat_slowly(int dir, const char *path, int mode, int flags)
{
    struct cw_path at;
    cw_touch_at(dir, path);
    int fault = presence(&at, path);
    if (fault == ASK_LIBC)
        return next_faccessat()(dir, at.real, mode, flags);
    return fault ? cw_result(-fault) : check(&at, mode);
}

int cw_faccessat(int dir, const char *path, int mode, int flags) CW_EXPORT(faccessat);
int cw_faccessat(int dir, const char *path, int mode, int flags)
{
    if (cw_maybe_ours_at(dir, path))
        return faccessat_slowly(dir, path, mode, flags);
    return next_faccessat()(dir, path, mode, flags);
}

/* Nothing of the product is a link: the errno, or ASK_LIBC (about the same path). */
static int no_link(const char *path)
{
    struct cw_path at;
    int fault = cw_maybe_ours(path) ? presence(&at, path) : ASK_LIBC;
    return fault ? fault : EINVAL;
}

CW_NEXT(readlink, ssize_t, const char *, char *, size_t)
ssize_t cw_readlink(const char *path, char *to, size_t size) CW_EXPORT(readlink);
ssize_t cw_readlink(const char *path, char *to, size_t size)
{
    int fault = no_link(path);
    return fault == ASK_LIBC ? next_readlink()(path, to, size) : cw_result(-fault);
}

CW_NEXT(readlinkat, ssize_t, int, const char *, char *, size_t)
ssize_t cw_readlinkat(int dir, const char *path, char *to, size_t size) CW_EXPORT(readlinkat);
ssize_t cw_readlinkat(int dir, const char *path, char *to, size_t size)
{
    int fault = no_link(path);
    return fault == ASK_LIBC ? next_readlinkat()(dir, path, to, size) : cw_result(-fault);
}

CW_NEXT(__readlink_chk, ssize_t, const char *, char *, size_t, size_t)
ssize_t cw_readlink_chk(const char *path, char *to, size_t size, size_t room) CW_EXPORT(__readlink_chk);
ssize_t cw_readlink_chk(const char *path, char *to, size_t size, size_t room)
{
    int fault = no_link(path);
    return fault == ASK_LIBC ? next___readlink_chk()(path, to, size, room) : cw_result(-fault);
}

/* The normal form of a path that is ours, in `to` or in new memory. */
static char *normal_form(const struct cw_path *at, char *to)
{
    size_t root = sizeof CW_ROOT - 1;
    if (root + at->size + 2 > PATH_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    if (!to && !(to = malloc(root + at->size + 2)))
        return NULL;
    memcpy(to, CW_ROOT, root);
    if (at->size)
        to[root++] = '/';
    memcpy(to + root, at->below, at->size + 1);
    return to;
}

CW_NEXT(realpath, char *, const char *, char *)
static __attribute__((noinline)) char *realpath_slowly(const char *path, char *to)
{
    struct cw_path at;
    int fault = presence(&at, path);
    if (fault == ASK_LIBC)
        return next_realpath()(at.real, to);
    if (fault == 0)
        return normal_form(&at, to);
    errno = fault;
    return NULL;
}

char *cw_realpath(const char *path, char *to) CW_EXPORT(realpath);
char *cw_realpath(const char *path, char *to)
{
    return cw_maybe_ours(path) ? realpath_slowly(path, to) : next_realpath()(path, to);
}

char *cw_canonicalize_file_name(const char *path) CW_EXPORT(canonicalize_file_name);
char *cw_canonicalize_file_name(const char *path)
{
    return cw_realpath(path, NULL);
}

CW_NEXT(__realpath_chk, char *, const char *, char *, size_t)
char *cw_realpath_chk(const char *path, char *to, size_t room) CW_EXPORT(__realpath_chk);
char *cw_realpath_chk(const char *path, char *to, size_t room)
{
    /* Less room than PATH_MAX is for libc to complain about. */
    if (room >= PATH_MAX && cw_maybe_ours(path))
        return realpath_slowly(path, to);
    return next___realpath_chk()(path, to, room);
}

/* A working directory has to be real, with all that relative paths may name from there. */
CW_NEXT(chdir, int, const char *)
int cw_chdir(const char *path) CW_EXPORT(chdir);
int cw_chdir(const char *path)
{
    char room[PATH_MAX];
    const char *real = cw_real_path(path, CW_TREE, room);
    return path && !real ? -1 : next_chdir()(real);
}

CW_NEXT(inotify_add_watch, int, int, const char *, uint32_t)
int cw_inotify_add_watch(int fd, const char *path, uint32_t events) CW_EXPORT(inotify_add_watch);
int cw_inotify_add_watch(int fd, const char *path, uint32_t events)
{
    char room[PATH_MAX];
    const char *real = cw_real_path(path, CW_LISTING, room);
    return path && !real ? -1 : next_inotify_add_watch()(fd, real, events);
}

/* The file system of the product's files is the one that the executable lies on. */
#define STATFS(name, type, field)                                                                            \
    CW_NEXT(name, int, const char *, struct type *)                                                          \
    static __attribute__((noinline)) int slow_##name(const char *path, struct type *info)                    \
    {                                                                                                        \
        struct cw_path at;                                                                                   \
        int fault = presence(&at, path);                                                                     \
        if (fault == ASK_LIBC)                                                                               \
            return next_##name()(at.real, info);                                                             \
        int result = fault ? cw_result(-fault) : next_##name()("/proc/self/exe", info);                      \
        if (result == 0)                                                                                     \
            info->field |= ST_RDONLY;                                                                        \
        return result;                                                                                       \
    }                                                                                                        \
    int cw_##name(const char *path, struct type *info) CW_EXPORT(name);                                      \
    int cw_##name(const char *path, struct type *info)                                                       \
    {                                                                                                        \
        return cw_maybe_ours(path) ? slow_##name(path, info) : next_##name()(path, info);                    \
    }

STATFS(statfs, statfs, f_flags)
STATFS(statfs64, statfs, f_flags)
STATFS(statvfs, statvfs, f_flag)
STATFS(statvfs64, statvfs, f_flag)

/* The product's files have no extended attributes. */
#define GETXATTR(name)                                                                                       \
    CW_NEXT(name, ssize_t, const char *, const char *, void *, size_t)                                       \
    static __attribute__((noinline)) ssize_t slow_##name(const char *path, const char *key, void *to,        \
                                                         size_t size)                                        \
    {                                                                                                        \
        struct cw_path at;                                                                                   \
        int fault = presence(&at, path);                                                                     \
        if (fault == ASK_LIBC)                                                                               \
            return next_##name()(at.real, key, to, size);                                                    \
        return cw_result(fault ? -fault : -ENODATA);                                                         \
    }                                                                                                        \
    ssize_t cw_##name(const char *path, const char *key, void *to, size_t size) CW_EXPORT(name);             \
    ssize_t cw_##name(const char *path, const char *key, void *to, size_t size)                              \
    {                                                                                                        \
        return cw_maybe_ours(path) ? slow_##name(path, key, to, size) : next_##name()(path, key, to, size);  \
    }

GETXATTR(getxattr)
GETXATTR(lgetxattr)

#define LISTXATTR(name)                                                                                      \
    CW_NEXT(name, ssize_t, const char *, char *, size_t)                                                     \
    static __attribute__((noinline)) ssize_t slow_##name(const char *path, char *to, size_t size)            \
    {                                                                                                        \
        struct cw_path at;                                                                                   \
        int fault = presence(&at, path);                                                                     \
        return fault == ASK_LIBC ? next_##name()(at.real, to, size) : cw_result(-fault);                     \
    }                                                                                                        \
    ssize_t cw_##name(const char *path, char *to, size_t size) CW_EXPORT(name);                              \
    ssize_t cw_##name(const char *path, char *to, size_t size)                                               \
    {                                                                                                        \
        return cw_maybe_ours(path) ? slow_##name(path, to, size) : next_##name()(path, to, size);            \
    }

LISTXATTR(listxattr)
LISTXATTR(llistxattr)
