#define _GNU_SOURCE 1
#include "content.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "libraries.h"
#include "paths.h"
#include "sys.h"
#include "unpack.h"

#include "live.h"

unsigned cw_node_mode(const struct cw_node *node)
{
    if (node->kind == CW_DIRECTORY)
        return 0555;
    return node->flags & (CW_EXECUTABLE | CW_NATIVE) ? 0555 : 0444;
}

ino_t cw_node_inode(const struct cw_node *node)
{
    enum { FIRST_INODE = 2 };
    return (ino_t)(node - cw_paths_image()->nodes) + FIRST_INODE;
}

static int write_all(int fd, const uint8_t *data, uint64_t size)
{
    /* Where Python has not ignored SIGXFSZ yet, a file that is too large would end the process. */
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < size)
        return -EFBIG;
    while (size) {
        ssize_t written = write(fd, data, size < (1u << 30) ? size : 1u << 30);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written ? -errno : -ENOSPC;
        data += written;
        size -= (uint64_t)written;
    }
    return 0;
}

bool cw_decode_content(const struct cw_node *node, void *to, struct cw_bytes stored)
{
    if (!cw_zstd_decode(to, node->data.raw, stored.data, stored.size))
        return false;
    return !(node->flags & CW_DATA_DIFFERENCE) || cw_library_original(cw_paths_image(), node, to, node->data.raw);
}

int cw_write_content(const struct cw_node *node, int fd)
{
    struct cw_bytes stored = cw_image_blob(cw_paths_image(), &node->data);
    uint64_t raw = node->data.raw;
    if (!stored.data)
        return -EBADMSG;
    if (!(node->flags & CW_DATA_ZSTD))
        return raw == stored.size ? write_all(fd, stored.data, raw) : -EBADMSG;
    if (raw == 0 || raw > SSIZE_MAX)
        return -EBADMSG;
    void *room = mmap(NULL, raw, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return -ENOMEM;
    int result = -EBADMSG;
    if (cw_decode_content(node, room, stored))
        result = write_all(fd, room, raw);
    munmap(room, raw);
    return result;
}

bool cw_is_present(int root, const char *below, const struct cw_node *node)
{
    struct stat info;
    /* "." is the root itself. */
    if (sys_fstatat(root, *below ? below : ".", &info, AT_SYMLINK_NOFOLLOW) < 0 || info.st_uid != geteuid())
        return false;
    if (node->kind == CW_DIRECTORY)
        return S_ISDIR(info.st_mode);
    return S_ISREG(info.st_mode) && (uint64_t)info.st_size == node->data.raw;
}

/* Names of temporaries are made of digits of the time: processes in different containers may share a
 * directory and have the same process id. */
static void temporary_name(char name[40])
{
    static atomic_uint count;
    struct timespec now;
    /* Not by libc's names: it is not the program that asks, and a constant would not do. */
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    uint64_t digits[2] = {(uint64_t)now.tv_sec << 30 | (uint64_t)now.tv_nsec,
                          (uint64_t)syscall(SYS_getpid) << 32 | atomic_fetch_add(&count, 1)};
    strcpy(name, ".tmp/");
    for (int n = 0; n < 32; n++)
        name[5 + n] = "0123456789abcdef"[digits[n / 16] >> (n % 16 * 4) & 15];
    name[37] = '\0';
}

static void make_parents(int root, const char *below)
{
    char part[PATH_MAX];
    for (const char *slash = strchr(below, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t size = (size_t)(slash - below);
        memcpy(part, below, size);
        part[size] = '\0';
        sys_mkdirat(root, part, 0700);
    }
}

/* Gives a finished temporary its name. What is in the way is not ours to keep. */
static int settle(int app, const char *temporary, int root, const char *below)
{
    int result = sys_renameat(app, temporary, root, below);
    if (result == -ENOENT || result == -ENOTDIR) {
        make_parents(root, below);
        result = sys_renameat(app, temporary, root, below);
    }
    if (result < 0)
        sys_unlinkat(app, temporary, 0);
    return result;
}

static int write_temporary(int app, const char *temporary, const struct cw_node *node)
{
    static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = sys_openat(app, temporary, flags, 0600);
    if (fd == -ENOENT) {
        sys_mkdirat(app, ".tmp", 0700);
        fd = sys_openat(app, temporary, flags, 0600);
    }
    if (fd < 0)
        return fd;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = CW_MTIME}};
    int result = cw_write_content(node, fd);
    if (result == 0 && (fchmod(fd, cw_node_mode(node)) < 0 || futimens(fd, times) < 0))
        result = -errno;
    /* Some file systems report a full disk only here. */
    if (close(fd) < 0 && result == 0 && errno != EINTR)
        result = -errno;
    if (result < 0)
        sys_unlinkat(app, temporary, 0);
    return result;
}

int cw_place(int app, int root, const char *below, const struct cw_node *node)
{
    if (node->kind == CW_DIRECTORY) {
        int result = sys_mkdirat(root, below, 0700);
        if (result == -ENOENT) {
            make_parents(root, below);
            result = sys_mkdirat(root, below, 0700);
        }
        return result == -EEXIST && cw_is_present(root, below, node) ? 0 : result;
    }
    enum { TRIES = 3 };
    int result = -ENOENT;
    /* A holder of the lock takes the temporaries of those that could not wait for it for leftovers. */
    for (int n = 0; n < TRIES && result == -ENOENT; n++) {
        char temporary[40];
        temporary_name(temporary);
        result = write_temporary(app, temporary, node);
        if (result == 0)
            result = settle(app, temporary, root, below);
    }
    return result;
}

int cw_place_link(int app, int root, const char *below, const char *target)
{
    char now[PATH_MAX], temporary[40];
    long size = sys_readlinkat(root, below, now, sizeof now);
    if (size >= 0 && (size_t)size == strlen(target) && memcmp(now, target, (size_t)size) == 0)
        return 0;
    temporary_name(temporary);
    sys_mkdirat(app, ".tmp", 0700);
    int result = sys_symlinkat(target, app, temporary);
    return result < 0 ? result : settle(app, temporary, root, below);
}

void cw_clear_temporaries(int app)
{
    _Alignas(struct sys_dirent) char buffer[2048];
    int dir = sys_opendirat(app, ".tmp");
    long size;
    while (dir >= 0 && (size = sys_getdents(dir, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < size;) {
            const struct sys_dirent *entry = (const void *)(buffer + at);
            at += entry->size;
            sys_unlinkat(dir, entry->name, 0); /* "." and ".." can't be unlinked */
        }
    }
    sys_close(dir);
}
