#define _GNU_SOURCE 1
#include "maps.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "natives.h"
#include "sys.h"

#include "live.h"

/* Bytes that a line of proc_pid_maps(5) can have: a path and some columns before it. */
enum { LINE = PATH_MAX + 256 };

/* Lines as they come, and those of libraries with their paths. */
struct copy {
    int to;
    size_t size; /* of what is in `text` */
    char text[2 * LINE];
};

bool cw_is_own_maps(const char *path)
{
    static const char proc[] = "/proc/";
    if (!path || strncmp(path, proc, sizeof proc - 1) != 0 || !cw_native_loaded(0))
        return false;
    const char *name = path + sizeof proc - 1;
    const char *slash = strchr(name, '/');
    if (!slash || (strcmp(slash, "/maps") != 0 && strcmp(slash, "/smaps") != 0))
        return false;
    char own[SYS_LINK];
    sys_digits(own, (unsigned)getpid());
    size_t size = (size_t)(slash - name);
    return (size == 4 && strncmp(name, "self", size) == 0) || (strlen(own) == size && strncmp(name, own, size) == 0);
}

/* The library whose memory a line is about, if it is about a file's. */
static const struct cw_native *library_of(const char *line)
{
    char *end;
    uintptr_t start = strtoull(line, &end, 16);
    const char *path = end > line && *end == '-' ? strchr(end, '/') : NULL;
    return path ? cw_native_at((const void *)start) : NULL;
}

/* `size` bytes, the last of them a newline that has become a NUL. */
static bool copy_line(const struct copy *copy, const char *line, size_t size)
{
    const struct cw_native *library = library_of(line);
    if (!library)
        return sys_write_all(copy->to, line, size - 1) && sys_write_all(copy->to, "\n", 1);
    return sys_write_all(copy->to, line, (size_t)(strchr(line, '/') - line))
        && sys_write_all(copy->to, library->map.l_name, strlen(library->map.l_name))
        && sys_write_all(copy->to, "\n", 1);
}

/* What is left of the last line stays for the next time. */
static bool copy_lines(struct copy *copy)
{
    char *line = copy->text, *end = copy->text + copy->size, *newline;
    while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
        *newline = '\0';
        if (!copy_line(copy, line, (size_t)(newline + 1 - line)))
            return false;
        line = newline + 1;
    }
    copy->size = (size_t)(end - line);
    memmove(copy->text, line, copy->size);
    return copy->size < LINE;
}

static int copy_all(int from, int to)
{
    struct copy copy = {.to = to};
    for (;;) {
        ssize_t size = read(from, copy.text + copy.size, LINE);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return -errno;
        if (size == 0)
            return copy.size == 0 ? 0 : -EIO;
        copy.size += (size_t)size;
        if (!copy_lines(&copy))
            return -EIO;
    }
}

int cw_open_maps(const char *path, int flags)
{
    int from = sys_openat(AT_FDCWD, path, flags, 0);
    int to = from < 0 ? from : (int)sys_result(syscall(SYS_memfd_create, "maps", flags & O_CLOEXEC ? MFD_CLOEXEC : 0));
    int result = to < 0 ? to : copy_all(from, to);
    if (result == 0 && lseek(to, 0, SEEK_SET) < 0)
        result = -errno;
    sys_close(from);
    if (result < 0 && to >= 0)
        sys_close(to);
    return result < 0 ? result : to;
}
