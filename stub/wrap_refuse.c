/* Functions that would change the product's files: they are read-only. */
#define _GNU_SOURCE 1
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/time.h>
#include <utime.h>

#include "sys.h"
#include "wrap.h"

#include "live.h"

/* The errno for a change at `path`: 0 when it is not ours. Whatever `makes` something there finds it in the
 * way; everything else needs it to be there. */
static __attribute__((noinline)) int refusal(const char *path, bool makes)
{
    struct cw_path at;
    cw_path_look(&at, path);
    if (cw_leave_to_libc(&at, CW_ONE))
        return 0;
    if (at.place == CW_MISSING)
        return makes && at.fault == ENOENT ? EROFS : at.fault;
    return makes ? EEXIST : EROFS;
}

static int refused(const char *path, bool makes)
{
    int fault = cw_maybe_ours(path) ? refusal(path, makes) : 0;
    if (fault)
        errno = fault;
    return fault;
}

static int refused_two(const char *from, const char *to)
{
    return refused(from, false) || (cw_maybe_ours(to) && refusal(to, false) && (errno = EROFS));
}

/* What a link to something of the product's is to contain: others follow it, too. For the interpreter, to which
 * virtual environments link, that is the executable, which is there as long as the product is. */
static const char *link_target(const char *target, char room[PATH_MAX])
{
    struct cw_path at;
    if (!cw_maybe_ours(target))
        return target;
    cw_path_look(&at, target);
    if (at.place == CW_SELF)
        return cw_self_path();
    const char *real = at.place == CW_FOUND ? cw_real_path(target, CW_TREE, room) : NULL;
    return real ? real : target;
}
#define LINK_TARGET(target) link_target(target, (char[PATH_MAX]){0})

static int raw_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

#define REFUSE_OR(name, fallback, test, parameters, arguments)                                               \
    CW_NEXT_OR(name, fallback, int, CW_LIST parameters)                                                      \
    int cw_##name parameters CW_EXPORT(name);                                                                \
    int cw_##name parameters                                                                                 \
    {                                                                                                        \
        return (test) ? -1 : next_##name() arguments;                                                        \
    }
#define CW_LIST(...) __VA_ARGS__
#define REFUSE(name, test, parameters, arguments) REFUSE_OR(name, 0, test, parameters, arguments)

REFUSE(mkdir, refused(path, true), (const char *path, mode_t mode), (path, mode))
REFUSE(mkdirat, refused(path, true), (int dir, const char *path, mode_t mode), (dir, path, mode))
REFUSE(mkfifo, refused(path, true), (const char *path, mode_t mode), (path, mode))
REFUSE(mkfifoat, refused(path, true), (int dir, const char *path, mode_t mode), (dir, path, mode))
REFUSE(symlink, refused(path, true), (const char *target, const char *path), (LINK_TARGET(target), path))
REFUSE(symlinkat, refused(path, true), (const char *target, int dir, const char *path),
       (LINK_TARGET(target), dir, path))

REFUSE(rmdir, refused(path, false), (const char *path), (path))
REFUSE(unlink, refused(path, false), (const char *path), (path))
REFUSE(unlinkat, refused(path, false), (int dir, const char *path, int flags), (dir, path, flags))
REFUSE(remove, refused(path, false), (const char *path), (path))

REFUSE(rename, refused_two(from, to), (const char *from, const char *to), (from, to))
REFUSE(renameat, refused_two(from, to), (int from_dir, const char *from, int to_dir, const char *to),
       (from_dir, from, to_dir, to))
REFUSE_OR(renameat2, raw_renameat2, refused_two(from, to),
          (int from_dir, const char *from, int to_dir, const char *to, unsigned flags),
          (from_dir, from, to_dir, to, flags))
REFUSE(link, refused_two(from, to), (const char *from, const char *to), (from, to))
REFUSE(linkat, refused_two(from, to), (int from_dir, const char *from, int to_dir, const char *to, int flags),
       (from_dir, from, to_dir, to, flags))

REFUSE(chmod, refused(path, false), (const char *path, mode_t mode), (path, mode))
REFUSE(lchmod, refused(path, false), (const char *path, mode_t mode), (path, mode))
REFUSE(fchmodat, refused(path, false), (int dir, const char *path, mode_t mode, int flags),
       (dir, path, mode, flags))
REFUSE(chown, refused(path, false), (const char *path, uid_t user, gid_t group), (path, user, group))
REFUSE(lchown, refused(path, false), (const char *path, uid_t user, gid_t group), (path, user, group))
REFUSE(fchownat, refused(path, false), (int dir, const char *path, uid_t user, gid_t group, int flags),
       (dir, path, user, group, flags))

REFUSE(utime, refused(path, false), (const char *path, const struct utimbuf *times), (path, times))
REFUSE(utimes, refused(path, false), (const char *path, const struct timeval *times), (path, times))
REFUSE(lutimes, refused(path, false), (const char *path, const struct timeval *times), (path, times))
REFUSE(futimesat, refused(path, false), (int dir, const char *path, const struct timeval *times),
       (dir, path, times))
REFUSE(utimensat, refused(path, false), (int dir, const char *path, const struct timespec *times, int flags),
       (dir, path, times, flags))

REFUSE(truncate, refused(path, false), (const char *path, off_t size), (path, size))
REFUSE(truncate64, refused(path, false), (const char *path, off_t size), (path, size))

REFUSE(setxattr, refused(path, false),
       (const char *path, const char *name, const void *value, size_t size, int flags),
       (path, name, value, size, flags))
REFUSE(lsetxattr, refused(path, false),
       (const char *path, const char *name, const void *value, size_t size, int flags),
       (path, name, value, size, flags))
REFUSE(removexattr, refused(path, false), (const char *path, const char *name), (path, name))
REFUSE(lremovexattr, refused(path, false), (const char *path, const char *name), (path, name))
