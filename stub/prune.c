#define _GNU_SOURCE 1
#include "prune.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "sys.h"

#include "live.h"

enum { BUDGET_MS = 200, DEEPEST = 32, DAY = 86400, TRASH_NAME = 48 };

static const char TRASH[] = ".coachwhip-trash-";

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What removing goes on with while there is time. */
struct removal {
    int64_t end;
    int depth;
};

static void remove_tree(struct removal *removal, int parent, const char *name);

static void remove_entries(struct removal *removal, int dir)
{
    _Alignas(struct sys_dirent) char buffer[2048];
    long size;
    while ((size = sys_getdents(dir, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < size;) {
            const struct sys_dirent *entry = (const void *)(buffer + at);
            at += entry->size;
            if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
                continue;
            if (sys_unlinkat(dir, entry->name, 0) < 0)
                remove_tree(removal, dir, entry->name);
            if (milliseconds() > removal->end)
                return;
        }
    }
}

static void remove_tree(struct removal *removal, int parent, const char *name)
{
    int dir = removal->depth < DEEPEST ? sys_opendirat(parent, name) : -EMLINK;
    if (dir < 0)
        return;
    removal->depth++;
    remove_entries(removal, dir);
    removal->depth--;
    sys_close(dir);
    sys_unlinkat(parent, name, AT_REMOVEDIR);
}

/* "NAME-<16 hex digits>" */
static bool is_app_directory(const char *name)
{
    size_t size = strlen(name);
    if (size < 17 || name[size - 17] != '-')
        return false;
    return strspn(name + size - 16, "0123456789abcdef") == 16;
}

/* Locks the mark of a directory that is outdated and not in use; returns the descriptor that holds the lock,
 * or -1. Whoever wants to use the directory locks the mark, too, and then looks whether it still is the one
 * at that name: so it can't come into use any more once it has another name. */
static int lock_outdated(int app)
{
    struct stat info;
    int used = sys_openat(app, ".used", O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
    if (used < 0)
        return -1;
    bool outdated = flock(used, LOCK_EX | LOCK_NB) == 0 && sys_fstat(used, &info) == 0 &&
                    info.st_uid == geteuid() && time(NULL) - info.st_mtime > CW_PRUNE_DAYS * DAY;
    if (outdated)
        return used;
    sys_close(used);
    return -1;
}

static void trash_name(char name[TRASH_NAME])
{
    uint64_t number = (uint64_t)milliseconds() << 24 | ((uint64_t)getpid() & 0xffffff);
    strcpy(name, TRASH);
    size_t at = sizeof TRASH - 1;
    for (int shift = 60; shift >= 0; shift -= 4)
        name[at++] = "0123456789abcdef"[number >> shift & 15];
    name[at] = '\0';
}

static void consider(struct removal *removal, int parent, const char *name)
{
    char trash[TRASH_NAME];
    if (strncmp(name, TRASH, sizeof TRASH - 1) == 0) {
        remove_tree(removal, parent, name);
        return;
    }
    int app = is_app_directory(name) ? sys_opendirat(parent, name) : -ENOENT;
    if (app < 0)
        return;
    int used = lock_outdated(app);
    if (used >= 0) {
        trash_name(trash);
        if (sys_renameat(parent, name, parent, trash) == 0)
            remove_tree(removal, parent, trash);
    }
    sys_close(used);
    sys_close(app);
}

void cw_prune(int parent, const char *own)
{
    struct removal removal = {.end = milliseconds() + BUDGET_MS};
    _Alignas(struct sys_dirent) char buffer[4096];
    int dir = sys_opendirat(parent, ".");
    long size;
    while (dir >= 0 && (size = sys_getdents(dir, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < size && milliseconds() <= removal.end;) {
            const struct sys_dirent *entry = (const void *)(buffer + at);
            at += entry->size;
            if (strcmp(entry->name, own) != 0)
                consider(&removal, parent, entry->name);
        }
        if (milliseconds() > removal.end)
            break;
    }
    sys_close(dir);
}
