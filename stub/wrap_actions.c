/* Files that posix_spawn() opens in the process that it starts: libc keeps their names and opens them itself. */
#define _GNU_SOURCE 1
#include <spawn.h>

#include "sys.h"
#include "wrap.h"

CW_NEXT(posix_spawn_file_actions_addopen, int, posix_spawn_file_actions_t *, int, const char *, int, mode_t)

static bool wants_to_write(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

/* The name that libc is to keep, or NULL with errno set. A name of nothing stays: opening it will say so. */
static const char *lasting_name(const char *path, int flags, char room[PATH_MAX])
{
    struct cw_path at;
    cw_path_look(&at, path);
    if (at.place == CW_ELSEWHERE || at.unpacked)
        return cw_real_path(path, CW_LISTING, room);
    if (wants_to_write(flags) || (at.place == CW_MISSING && (flags & O_CREAT))) {
        errno = EROFS;
        return NULL;
    }
    return at.place == CW_MISSING ? path : cw_real_path(path, CW_LISTING, room);
}

static __attribute__((noinline)) int add_ours(posix_spawn_file_actions_t *actions, int fd, const char *path,
                                              int flags, mode_t mode)
{
    char room[PATH_MAX];
    int before = errno;
    const char *name = lasting_name(path, flags, room);
    int fault = name ? next_posix_spawn_file_actions_addopen()(actions, fd, name, flags, mode) : errno;
    errno = before;
    return fault;
}

int cw_add_open(posix_spawn_file_actions_t *actions, int fd, const char *path, int flags, mode_t mode)
    CW_EXPORT(posix_spawn_file_actions_addopen);
int cw_add_open(posix_spawn_file_actions_t *actions, int fd, const char *path, int flags, mode_t mode)
{
    if (cw_maybe_ours(path))
        return add_ours(actions, fd, path, flags, mode);
    return next_posix_spawn_file_actions_addopen()(actions, fd, path, flags, mode);
}
