/* Functions that open files and directories. */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"
#include "maps.h"
#include "sys.h"
#include "wrap.h"

#include "live.h"

typedef int open_type(const char *, int, unsigned);

static bool wants_to_write(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE;
}

typedef int open_node_type(const struct cw_node *, int);

static int open_found(const struct cw_path *at, int flags, open_node_type *open_node)
{
    bool directory = at->place == CW_FOUND && at->node->kind == CW_DIRECTORY;
    if ((flags & O_CREAT) && (flags & O_EXCL))
        return -EEXIST;
    if (directory && (flags & (O_CREAT | O_TRUNC | O_ACCMODE)) && (flags & O_TMPFILE) != O_TMPFILE)
        return -EISDIR;
    if (wants_to_write(flags))
        return -EROFS;
    if (directory)
        return cw_open_directory(at->node, flags);
    if (flags & O_DIRECTORY)
        return -ENOTDIR;
    flags &= ~O_CREAT;
    if (at->place == CW_SELF)
        return sys_openat(AT_FDCWD, "/proc/self/exe", flags & ~O_NOFOLLOW, 0);
    return open_node(at->node, flags);
}

enum { ASK_LIBC = -2 };

/* Answers for a path that is ours. Returns a descriptor, -1 with errno set, or ASK_LIBC: about `at->real`. */
static int open_ours_by(open_node_type *open_node, struct cw_path *at, const char *path, int flags)
{
    int before = errno;
    cw_path_look(at, path);
    if (cw_leave_to_libc(at, CW_LISTING))
        return ASK_LIBC;
    if (at->place == CW_MISSING)
        return cw_result(at->fault == ENOENT && (flags & O_CREAT) ? -EROFS : -at->fault);
    int fd = cw_result(open_found(at, flags, open_node));
    /* OpenSSL's callers ask errno whether it was a file's fault that something failed later. */
    if (fd >= 0)
        errno = before;
    return fd;
}

static int open_ours(struct cw_path *at, const char *path, int flags)
{
    return open_ours_by(cw_open_node, at, path, flags);
}

static __attribute__((noinline)) int open_slowly(open_type *next, const char *path, int flags, unsigned mode)
{
    struct cw_path at;
    int fd = open_ours(&at, path, flags);
    return fd == ASK_LIBC ? next(at.real, flags, mode) : fd;
}

#define OPEN(name)                                                                                           \
    CW_NEXT(name, int, const char *, int, unsigned)                                                          \
    int cw_##name(const char *path, int flags, unsigned mode) CW_EXPORT(name);                               \
    int cw_##name(const char *path, int flags, unsigned mode)                                                \
    {                                                                                                        \
        if (cw_maybe_ours(path))                                                                             \
            return open_slowly(next_##name(), path, flags, mode);                                            \
        return next_##name()(path, flags, mode);                                                             \
    }

OPEN(open)
OPEN(open64)
OPEN(__open_2)
OPEN(__open64_2)

static __attribute__((noinline)) int open_copy_slowly(const char *path, int flags, unsigned mode)
{
    struct cw_path at;
    int fd = open_ours_by(cw_open_copy, &at, path, flags);
    return fd == ASK_LIBC ? next_open64()(at.real, flags, mode) : fd;
}

static bool wants_maps(const char *path, int flags)
{
    return (flags & O_ACCMODE) == O_RDONLY && cw_is_own_maps(path);
}

int __wrap_open64(const char *path, int flags, unsigned mode)
{
    int maps = wants_maps(path, flags) ? cw_open_maps(path, flags) : -1;
    if (maps >= 0)
        return maps;
    return cw_maybe_ours(path) ? open_copy_slowly(path, flags, mode) : next_open64()(path, flags, mode);
}

#define CREAT(name)                                                                                          \
    CW_NEXT(name, int, const char *, unsigned)                                                               \
    int cw_##name(const char *path, unsigned mode) CW_EXPORT(name);                                          \
    int cw_##name(const char *path, unsigned mode)                                                           \
    {                                                                                                        \
        if (cw_maybe_ours(path))                                                                             \
            return open_slowly(next_open64(), path, O_CREAT | O_WRONLY | O_TRUNC, mode);                     \
        return next_##name()(path, mode);                                                                    \
    }

CREAT(creat)
CREAT(creat64)

typedef int openat_type(int, const char *, int, unsigned);

static __attribute__((noinline)) int openat_slowly(openat_type *next, int dir, const char *path, int flags,
                                                   unsigned mode)
{
    struct cw_path at;
    cw_touch_at(dir, path);
    int fd = open_ours(&at, path, flags);
    return fd == ASK_LIBC ? next(dir, at.real, flags, mode) : fd;
}

#define OPENAT(name)                                                                                         \
    CW_NEXT(name, int, int, const char *, int, unsigned)                                                     \
    int cw_##name(int dir, const char *path, int flags, unsigned mode) CW_EXPORT(name);                      \
    int cw_##name(int dir, const char *path, int flags, unsigned mode)                                       \
    {                                                                                                        \
        if (cw_maybe_ours_at(dir, path))                                                                     \
            return openat_slowly(next_##name(), dir, path, flags, mode);                                     \
        return next_##name()(dir, path, flags, mode);                                                        \
    }

OPENAT(openat)
OPENAT(openat64)
OPENAT(__openat_2)
OPENAT(__openat64_2)

/* The flags of open(2) that fopen(3) would use. */
static int flags_of(const char *mode)
{
    int flags = O_RDONLY;
    if (mode[0] != 'r')
        flags = O_WRONLY | O_CREAT | (mode[0] == 'a' ? O_APPEND : O_TRUNC);
    for (const char *at = mode; *at && *at != ','; at++) {
        if (*at == '+')
            flags = (flags & ~O_ACCMODE) | O_RDWR;
        if (*at == 'e')
            flags |= O_CLOEXEC;
        if (*at == 'x')
            flags |= O_EXCL;
    }
    return flags;
}

typedef FILE *fopen_type(const char *, const char *);

static __attribute__((noinline)) FILE *fopen_slowly(fopen_type *next, const char *path, const char *mode)
{
    struct cw_path at;
    int fd = open_ours(&at, path, flags_of(mode));
    if (fd == ASK_LIBC)
        return next(at.real, mode);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, mode);
    if (fd >= 0 && !stream)
        sys_close(fd);
    return stream;
}

#define FOPEN(name)                                                                                          \
    CW_NEXT(name, FILE *, const char *, const char *)                                                        \
    FILE *cw_##name(const char *path, const char *mode) CW_EXPORT(name);                                     \
    FILE *cw_##name(const char *path, const char *mode)                                                      \
    {                                                                                                        \
        if (cw_maybe_ours(path))                                                                             \
            return fopen_slowly(next_##name(), path, mode);                                                  \
        return next_##name()(path, mode);                                                                    \
    }

FOPEN(fopen)
FOPEN(fopen64)

typedef FILE *freopen_type(const char *, const char *, FILE *);

static FILE *freopen_slowly(freopen_type *next, const char *path, const char *mode, FILE *stream)
{
    char link[SYS_LINK];
    struct cw_path at;
    int fd = open_ours(&at, path, flags_of(mode));
    if (fd == ASK_LIBC)
        return next(at.real, mode, stream);
    if (fd < 0) {
        int fault = errno;
        fclose(stream); /* which freopen does, too, when it fails */
        errno = fault;
        return NULL;
    }
    sys_fd_link(link, fd);
    stream = next(link, mode, stream);
    sys_close(fd);
    return stream;
}

#define FREOPEN(name)                                                                                        \
    CW_NEXT(name, FILE *, const char *, const char *, FILE *)                                                \
    FILE *cw_##name(const char *path, const char *mode, FILE *stream) CW_EXPORT(name);                       \
    FILE *cw_##name(const char *path, const char *mode, FILE *stream)                                        \
    {                                                                                                        \
        if (cw_maybe_ours(path))                                                                             \
            return freopen_slowly(next_##name(), path, mode, stream);                                        \
        return next_##name()(path, mode, stream);                                                            \
    }

FREOPEN(freopen)
FREOPEN(freopen64)

CW_NEXT(opendir, DIR *, const char *)
static __attribute__((noinline)) DIR *opendir_slowly(const char *path)
{
    struct cw_path at;
    int fd = open_ours(&at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (fd == ASK_LIBC)
        return next_opendir()(at.real);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !stream)
        sys_close(fd);
    return stream;
}

DIR *cw_open_unpacked(const char *path)
{
    return cw_maybe_ours(path) ? opendir_slowly(path) : next_opendir()(path);
}

DIR *cw_opendir(const char *path) CW_EXPORT(opendir);
DIR *cw_opendir(const char *path)
{
    return cw_open_unpacked(path);
}

typedef int filter_type(const struct dirent *);
typedef int order_type(const struct dirent **, const struct dirent **);

#define SCANDIR(name)                                                                                        \
    CW_NEXT(name, int, const char *, struct dirent ***, filter_type *, order_type *)                         \
    int cw_##name(const char *path, struct dirent ***list, filter_type *filter, order_type *order)           \
        CW_EXPORT(name);                                                                                     \
    int cw_##name(const char *path, struct dirent ***list, filter_type *filter, order_type *order)           \
    {                                                                                                        \
        char room[PATH_MAX];                                                                                 \
        const char *real = cw_real_path(path, CW_LISTING, room);                                             \
        return path && !real ? -1 : next_##name()(real, list, filter, order);                                \
    }

SCANDIR(scandir)
SCANDIR(scandir64)
