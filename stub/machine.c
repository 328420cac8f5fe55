#define _GNU_SOURCE 1
#include "machine.h"

#include <sys/mman.h>

#include "cache.h"
#include "paths.h"
#include "sys.h"
#include "used.h"

#include "live.h"

bool cw_machine_place(struct cw_candidate *place)
{
    for (unsigned n = 0; n < CW_CANDIDATES; n++)
        if (cw_candidate(n, place))
            return place->trust != CW_SHARED;
    return false;
}

bool cw_machine_has(const struct cw_candidate *place)
{
    char path[PATH_MAX];
    struct stat info;
    return cw_cache_path(place, CW_MACHINE_FILE, path) > 0
        && sys_fstatat(AT_FDCWD, path, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A file that somebody else has, or has another name for, may be one that they can still change. */
static bool is_private(const struct stat *info)
{
    return info->st_uid == geteuid() && info->st_nlink == 1 && !(info->st_mode & 077);
}

struct cw_bytes cw_machine_map(int fd, const char **fault)
{
    struct cw_bytes none = {NULL, 0};
    struct stat info;
    *fault = NULL;
    if (sys_fstat(fd, &info) < 0)
        *fault = "it can't be read";
    else if (!S_ISREG(info.st_mode))
        *fault = "it is no ordinary file";
    else if (!is_private(&info))
        *fault = "somebody else may read or change it";
    else if (info.st_size <= 0)
        *fault = "it is empty";
    if (*fault)
        return none;
    void *at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) {
        *fault = errno == ENOMEM ? "there is not enough memory, or a limit on it" : "it can't be mapped";
        return none;
    }
    return (struct cw_bytes){at, (uint64_t)info.st_size};
}

struct cw_bytes cw_machine_snapshot(const char **fault)
{
    struct cw_bytes bytes = {NULL, 0};
    struct cw_candidate place;
    *fault = NULL;
    if (!cw_machine_place(&place) || !cw_machine_has(&place))
        return bytes;
    int app = cw_cache_open(&place);
    if (app < 0) {
        *fault = app == -EPERM ? "somebody else could change it" : "its folder can't be opened";
        return bytes;
    }
    /* O_NONBLOCK: whatever has this name, opening it does not wait. */
    int fd = sys_openat(app, CW_MACHINE_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    if (fd < 0)
        *fault = fd == -ELOOP ? "it is no ordinary file" : "it can't be opened";
    else
        bytes = cw_machine_map(fd, fault);
    sys_close(fd);
    cw_used_touch(app);
    sys_close(app);
    return bytes;
}

void cw_machine_unmap(struct cw_bytes bytes)
{
    if (bytes.size)
        munmap((void *)(uintptr_t)bytes.data, bytes.size);
}
