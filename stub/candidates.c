#define _GNU_SOURCE 1
#include "candidates.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "sys.h"

#include "live.h"

/* "NAME-<uid>", where several users share a directory. */
static void set_owned_by_user(struct cw_candidate *out)
{
    static const char stem[] = "coachwhip-";
    memcpy(out->owned, stem, sizeof stem - 1);
    sys_digits(out->owned + sizeof stem - 1, geteuid());
}

static bool set_parent(struct cw_candidate *out, const char *path, const char *below)
{
    size_t size = path ? strlen(path) : 0;
    while (size > 1 && path[size - 1] == '/')
        size--;
    /* A relative path would mean another place after every chdir. */
    if (!size || path[0] != '/' || size + strlen(below) >= sizeof out->parent)
        return false;
    memcpy(out->parent, path, size);
    strcpy(out->parent + size, below);
    return true;
}

/* The environment of a setuid program is not its user's to choose. */
static const char *variable(const char *name)
{
    return getauxval(AT_SECURE) ? NULL : getenv(name);
}

bool cw_candidate(unsigned index, struct cw_candidate *out)
{
    static const char *const shared[] = {"/var/tmp", "/tmp", "/dev/shm"};
    out->owned[0] = '\0';
    out->create = index < 2;
    out->trust = index == 0 ? CW_CHOSEN : index < 3 ? CW_PERSONAL : CW_SHARED;
    switch (index) {
    case 0:
        return set_parent(out, variable("COACHWHIP_CACHE_DIR"), "");
    case 1:
        strcpy(out->owned, "coachwhip");
        return set_parent(out, variable("XDG_CACHE_HOME"), "");
    case 2:
        /* A home directory is never made, but its .cache is. */
        strcpy(out->owned, "coachwhip");
        return set_parent(out, variable("HOME"), "/.cache");
    default:
        set_owned_by_user(out);
        return set_parent(out, shared[index - 3], "");
    }
}

/* Whether nobody but the user and root can put another directory in the place of one in here. Directories that
 * a group may change are common where every user has a group of their own, but not root's. */
static bool is_trusted(const char *path)
{
    struct stat info;
    int result = sys_fstatat(AT_FDCWD, path, &info, 0);
    if (result < 0)
        return result == -ENOENT;
    uid_t user = geteuid();
    if (info.st_uid != user && info.st_uid != 0)
        return false;
    bool groups_own = user != 0 && info.st_uid == user;
    return (info.st_mode & S_ISVTX) || !(info.st_mode & (groups_own ? 002 : 022));
}

/* The same for the directory that `path` is in. */
static bool is_in_trusted(const char *path)
{
    char above[PATH_MAX];
    size_t size = (size_t)(strrchr(path, '/') - path);
    memcpy(above, path, size);
    above[size] = '\0';
    return is_trusted(size ? above : "/");
}

static int make_all(const char *path)
{
    char part[PATH_MAX];
    int result = 0;
    for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        size_t size = slash ? (size_t)(slash - path) : strlen(path);
        memcpy(part, path, size);
        part[size] = '\0';
        result = sys_mkdirat(AT_FDCWD, part, 0700);
        if (!slash)
            return result == -EEXIST ? 0 : result;
    }
}

static int open_parent(const struct cw_candidate *candidate)
{
    static const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    const char *path = candidate->parent;
    if (candidate->trust != CW_CHOSEN && !is_trusted(path))
        return -EPERM;
    if (candidate->trust == CW_PERSONAL && !is_in_trusted(path))
        return -EPERM;
    int fd = sys_openat(AT_FDCWD, path, flags, 0);
    if (fd == -ENOENT) {
        int made = candidate->create ? make_all(path) : sys_mkdirat(AT_FDCWD, path, 0700);
        if (made < 0 && made != -EEXIST)
            return made;
        fd = sys_openat(AT_FDCWD, path, flags, 0);
    }
    return fd;
}

int cw_open_private(int parent, const char *name, bool *made)
{
    *made = false;
    int fd = sys_opendirat(parent, name);
    if (fd == -ENOENT) {
        int result = sys_mkdirat(parent, name, 0700);
        if (result < 0 && result != -EEXIST)
            return result;
        *made = result == 0;
        fd = sys_opendirat(parent, name);
    }
    struct stat info;
    if (fd >= 0 && (sys_fstat(fd, &info) < 0 || info.st_uid != geteuid() || (info.st_mode & 022))) {
        sys_close(fd);
        return -EPERM;
    }
    return fd == -ELOOP || fd == -ENOTDIR ? -EPERM : fd;
}

int cw_candidate_open(const struct cw_candidate *candidate)
{
    int parent = open_parent(candidate);
    if (parent < 0 || !candidate->owned[0])
        return parent;
    bool made;
    int fd = cw_open_private(parent, candidate->owned, &made);
    sys_close(parent);
    return fd;
}
