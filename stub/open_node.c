#define _GNU_SOURCE 1
#include <string.h>
#include <sys/mman.h>

#include "content.h"
#include "paths.h"
#include "sys.h"
#include "unpack.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 16u
#endif
enum { CLOSE_ON_EXEC = 1, ALLOW_SEALING = 2 }; /* MFD_*, which old headers lack */
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#endif
enum { ALL_SEALS = 1 | 2 | 4 | 8 }; /* seal, shrink, grow, write */

int cw_memory_file(const struct cw_node *node, bool runs)
{
    struct cw_text name = cw_image_name(cw_paths_image(), node);
    unsigned flags = CLOSE_ON_EXEC | ALLOW_SEALING;
    if (!name.data || name.size > NAME_MAX - 10)
        name.data = "file";
    /* Kernels before 6.3 do not know the third flag. */
    long fd = sys_result(syscall(SYS_memfd_create, name.data, flags | (runs ? MFD_EXEC : MFD_NOEXEC_SEAL)));
    if (fd == -EINVAL)
        fd = sys_result(syscall(SYS_memfd_create, name.data, flags));
    if (fd < 0)
        return (int)fd;
    int result = cw_write_content(node, (int)fd);
    if (result < 0) {
        sys_close((int)fd);
        return result == -EBADMSG ? -EIO : result;
    }
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = CW_MTIME}};
    (void)fchmod((int)fd, cw_node_mode(node));
    (void)futimens((int)fd, times);
    (void)fcntl((int)fd, F_ADD_SEALS, ALL_SEALS);
    return (int)fd;
}

/* The copy in memory as open(2) would give it: read-only, with the caller's flags. */
static int open_memory(const struct cw_node *node, int flags)
{
    bool runs = node->flags & CW_EXECUTABLE;
    int fd = cw_memory_file(node, runs);
    if (fd < 0 && runs)
        fd = cw_memory_file(node, false); /* the machine may forbid it, but it may just be read */
    if (fd < 0)
        return fd;
    char link[SYS_LINK];
    sys_fd_link(link, fd);
    int again = sys_openat(AT_FDCWD, link, flags & ~O_NOFOLLOW, 0);
    if (again >= 0) {
        sys_close(fd);
        return again;
    }
    (void)lseek(fd, 0, SEEK_SET);
    (void)fcntl(fd, F_SETFD, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
    return fd;
}

/* What bin/ shows besides its nodes. */
static void link_interpreters(const struct cw_node *node)
{
    const struct cw_image *image = cw_paths_image();
    struct cw_text path = cw_image_text(image, node->path);
    struct cw_text version = cw_image_text(image, image->settings->python);
    if (!path.data || strcmp(path.data, "bin") != 0 || !version.data || version.size > 8)
        return;
    char name[32] = "bin/python", real[PATH_MAX];
    cw_unpack_self(name, real);
    cw_unpack_self("bin/python3", real);
    memcpy(name + strlen(name), version.data, version.size + 1);
    cw_unpack_self(name, real);
}

int cw_open_directory(const struct cw_node *node, int flags)
{
    enum { TRIES = 3 };
    char real[PATH_MAX];
    int fd = -ENOENT;
    for (int n = 0; n < TRIES && fd == -ENOENT; n++) {
        int result = cw_unpack(node, CW_LISTING, real);
        if (result < 0)
            return result;
        link_interpreters(node);
        fd = sys_openat(AT_FDCWD, real, flags | O_NOFOLLOW, 0);
    }
    return fd;
}

int cw_open_copy(const struct cw_node *node, int flags)
{
    enum { LARGEST = 1 << 16 };
    bool small = node->data.raw <= LARGEST && !(node->flags & CW_NATIVE);
    int fd = small ? open_memory(node, flags) : -ENOSYS;
    return fd >= 0 || fd == -EIO ? fd : cw_open_node(node, flags);
}

int cw_open_node(const struct cw_node *node, int flags)
{
    enum { TRIES = 3 };
    char real[PATH_MAX];
    for (int n = 0; n < TRIES; n++) {
        int result = cw_unpack(node, CW_ONE, real);
        if (result == -EIO)
            return result;
        if (result < 0)
            break;
        int fd = sys_openat(AT_FDCWD, real, flags | O_NOFOLLOW, 0);
        if (fd != -ENOENT)
            return fd; /* otherwise the directory has been removed: once more */
    }
    return open_memory(node, flags);
}
