#define _GNU_SOURCE 1
#include "used.h"

#include <sys/file.h>
#include <time.h>

#include "sys.h"

#include "live.h"

/* FIRST_FD: programs that count on the lowest descriptors being theirs are not disturbed. */
enum { DAY = 86400, FIRST_FD = 100, TRIES = 5 };

void cw_used_make(int app)
{
    sys_close(sys_openat(app, ".used", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
}

/* Whether the locked mark still is the one that others find. */
static bool is_current(int app, int used, struct stat *info)
{
    struct stat named;
    return sys_fstat(used, info) == 0 && info->st_nlink > 0 &&
           sys_fstatat(app, ".used", &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == info->st_ino;
}

/* Locks the mark; returns its descriptor, -EAGAIN when the directory is about to go. */
static int lock_mark(int app)
{
    int used = sys_openat(app, ".used", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (used == -EROFS || used == -EACCES)
        used = sys_openat(app, ".used", O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (used < 0)
        return used;
    int result = flock(used, LOCK_SH | LOCK_NB) == 0 ? 0 : -errno;
    struct stat info;
    if (result == 0 && is_current(app, used, &info)) {
        if (time(NULL) - info.st_mtime > DAY)
            (void)futimens(used, NULL);
        return used;
    }
    sys_close(used);
    return result == -EWOULDBLOCK || result == 0 ? -EAGAIN : result;
}

/* Whether the directory that was locked is the one at the store's path. */
static bool is_reachable(const struct cw_store *store, int app)
{
    struct stat named, opened;
    int root = sys_opendirat(app, "root");
    bool same = root >= 0 && sys_fstat(root, &opened) == 0 &&
                sys_fstatat(AT_FDCWD, store->root, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                named.st_ino == opened.st_ino;
    sys_close(root);
    return same;
}

void cw_used_touch(int app)
{
    struct stat info;
    int used = sys_openat(app, ".used", O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
    if (used >= 0 && sys_fstat(used, &info) == 0 && time(NULL) - info.st_mtime > DAY)
        (void)futimens(used, NULL);
    sys_close(used);
}

void cw_used_refresh(struct cw_store *store)
{
    if (atomic_load(&store->held) || atomic_exchange(&store->refreshed, true))
        return;
    int app = cw_cache_enter(store);
    if (app >= 0)
        cw_used_touch(app);
    sys_close(app);
}

void cw_used_hold(struct cw_store *store)
{
    if (atomic_exchange(&store->held, true))
        return;
    for (int n = 0; n < TRIES; n++) {
        int app = cw_cache_enter(store);
        int used = app < 0 ? app : lock_mark(app);
        bool good = used >= 0 && is_reachable(store, app);
        sys_close(app);
        if (good) {
            int high = fcntl(used, F_DUPFD_CLOEXEC, FIRST_FD);
            if (high >= 0)
                sys_close(used);
            return;
        }
        sys_close(used);
        if (used < 0 && used != -EAGAIN)
            return; /* a file system without locks: an old mark is all that protects the directory */
        struct timespec pause = {.tv_nsec = 2000000};
        nanosleep(&pause, NULL);
    }
}
