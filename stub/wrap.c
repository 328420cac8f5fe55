#define _GNU_SOURCE 1
#include "wrap.h"

#include <string.h>

#include "sys.h"

#include "live.h"

static int make_real(const struct cw_path *at, enum cw_scope directories, char real[PATH_MAX])
{
    if (at->place == CW_SELF)
        return cw_unpack_self(at->below, real);
    bool directory = at->node->kind == CW_DIRECTORY;
    int result = cw_unpack(at->node, directory ? directories : cw_whole(at->node), real);
    if (result < 0 && !directory)
        result = cw_unpack(at->node, CW_ONE, real); /* it may just be read */
    return result;
}

bool cw_leave_to_libc(struct cw_path *at, enum cw_scope directories)
{
    if (at->place == CW_ELSEWHERE)
        return true;
    if (!at->unpacked)
        return false;
    /* What can be executed and what can't may lie in two directories, and a library look for its data in its
     * own. */
    char real[PATH_MAX];
    if (at->place == CW_FOUND && make_real(at, directories, real) == 0) {
        strcpy(at->below, real);
        at->real = at->below;
    }
    return true;
}

void cw_touch_at(int dir, const char *path)
{
    char link[SYS_LINK], whole[PATH_MAX];
    struct cw_path at;
    if (dir < 0 || !path || path[0] == '/' || !cw_paths_any_unpacked())
        return;
    sys_fd_link(link, dir);
    long size = sys_readlinkat(AT_FDCWD, link, whole, sizeof whole);
    size_t more = strlen(path);
    if (size <= 0 || (size_t)size + more + 2 > sizeof whole)
        return;
    whole[size] = '\0';
    if (!cw_paths_below_unpacked(whole))
        return;
    whole[size] = '/';
    memcpy(whole + size + 1, path, more + 1);
    int before = errno;
    cw_path_look(&at, whole);
    (void)cw_leave_to_libc(&at, CW_LISTING);
    errno = before;
}

const char *cw_real_path(const char *path, enum cw_scope directories, char room[PATH_MAX])
{
    struct cw_path at;
    if (!cw_maybe_ours(path))
        return path;
    cw_path_look(&at, path);
    if (at.place == CW_ELSEWHERE)
        return at.real;
    if (at.unpacked && at.place != CW_FOUND)
        return path;
    int result = at.place == CW_MISSING ? -at.fault : make_real(&at, directories, room);
    return cw_result(result) < 0 ? NULL : room;
}
