/* System calls by number, for our own use: the libc functions of these names are wrapped by us, and what
 * unpacks files may run in a child of vfork(), where a lookup of the next definition has no place.
 * All return a value >= 0 or a negated errno. */
#ifndef CW_SYS_H
#define CW_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long sys_result(long value)
{
    return value == -1 ? -errno : value;
}

static inline int sys_openat(int dir, const char *path, int flags, unsigned mode)
{
    long fd;
    do
        fd = sys_result(syscall(SYS_openat, dir, path, flags, mode));
    while (fd == -EINTR);
    return (int)fd;
}

/* A directory that must not be reached through a link. */
static inline int sys_opendirat(int dir, const char *path)
{
    return sys_openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

static inline void sys_close(int fd)
{
    if (fd >= 0)
        (void)syscall(SYS_close, fd);
}

/* Writes all of it; false, with errno, when that can't be done. */
static inline bool sys_write_all(int fd, const char *from, size_t size)
{
    while (size) {
        long written = syscall(SYS_write, fd, from, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        from += written;
        size -= (size_t)written;
    }
    return true;
}

static inline int sys_fstat(int fd, struct stat *info)
{
    return (int)sys_result(syscall(SYS_fstat, fd, info));
}

static inline int sys_fstatat(int dir, const char *path, struct stat *info, int flags)
{
    return (int)sys_result(syscall(SYS_newfstatat, dir, path, info, flags));
}

static inline int sys_mkdirat(int dir, const char *path, unsigned mode)
{
    return (int)sys_result(syscall(SYS_mkdirat, dir, path, mode));
}

static inline int sys_unlinkat(int dir, const char *path, int flags)
{
    return (int)sys_result(syscall(SYS_unlinkat, dir, path, flags));
}

static inline int sys_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return (int)sys_result(syscall(SYS_renameat, from_dir, from, to_dir, to));
}

static inline int sys_symlinkat(const char *target, int dir, const char *path)
{
    return (int)sys_result(syscall(SYS_symlinkat, target, dir, path));
}

static inline long sys_readlinkat(int dir, const char *path, char *to, size_t size)
{
    return sys_result(syscall(SYS_readlinkat, dir, path, to, size));
}

static inline long sys_getdents(int dir, void *to, size_t size)
{
    return sys_result(syscall(SYS_getdents64, dir, to, size));
}

/* Writes a number in decimal digits and a NUL; returns the number of digits. */
static inline unsigned sys_digits(char *to, unsigned number)
{
    char reversed[16];
    unsigned count = 0, at = 0;
    do
        reversed[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count)
        to[at++] = reversed[--count];
    to[at] = '\0';
    return at;
}

enum { SYS_LINK = 32 };

/* The name under which /proc shows a descriptor. */
static inline void sys_fd_link(char link[SYS_LINK], int fd)
{
    static const char stem[] = "/proc/self/fd/";
    for (unsigned n = 0; n < sizeof stem; n++)
        link[n] = stem[n];
    sys_digits(link + sizeof stem - 1, (unsigned)fd);
}

/* An entry as getdents64(2) writes it. */
struct sys_dirent {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

#endif
