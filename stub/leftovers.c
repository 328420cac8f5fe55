/* The five functions for which CPython would need librt and libutil: loading these takes a noticeable part of a
 * start. They do what shm_open(3) and openpty(3) say. Since glibc 2.34 they are part of libc itself. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utmp.h>

#include "live.h"

#define SHARED_MEMORY "/dev/shm/"

/* The file of a shared memory object; false for names that can't be one. */
static bool shared_memory_path(const char *name, char path[PATH_MAX])
{
    name += strspn(name, "/");
    size_t size = strlen(name);
    if (size == 0 || size > NAME_MAX || strchr(name, '/')) {
        errno = EINVAL;
        return false;
    }
    memcpy(path, SHARED_MEMORY, sizeof SHARED_MEMORY - 1);
    memcpy(path + sizeof SHARED_MEMORY - 1, name, size + 1);
    return true;
}

int shm_open(const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];
    if (!shared_memory_path(name, path))
        return -1;
    return open(path, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

int shm_unlink(const char *name)
{
    char path[PATH_MAX];
    if (!shared_memory_path(name, path))
        return -1;
    int result = unlink(path);
    if (result < 0 && errno == EPERM) /* what unlink says of a directory */
        errno = EACCES;
    return result;
}

static int open_terminal(int master, char *path, const struct termios *settings, const struct winsize *size)
{
    if (grantpt(master) || unlockpt(master) || ptsname_r(master, path, PATH_MAX))
        return -1;
    int terminal = open(path, O_RDWR | O_NOCTTY);
    if (terminal < 0)
        return -1;
    if (settings)
        tcsetattr(terminal, TCSAFLUSH, settings);
    if (size)
        ioctl(terminal, TIOCSWINSZ, size);
    return terminal;
}

int openpty(int *master, int *terminal, char *name, const struct termios *settings, const struct winsize *size)
{
    char path[PATH_MAX];
    int ours = posix_openpt(O_RDWR | O_NOCTTY);
    if (ours < 0)
        return -1;
    int theirs = open_terminal(ours, path, settings, size);
    if (theirs < 0) {
        int reason = errno;
        close(ours);
        errno = reason;
        return -1;
    }
    if (name)
        strcpy(name, path);
    *master = ours;
    *terminal = theirs;
    return 0;
}

int login_tty(int terminal)
{
    setsid();
    if (ioctl(terminal, TIOCSCTTY, NULL) < 0)
        return -1;
    for (int descriptor = 0; descriptor <= 2; descriptor++)
        while (dup2(terminal, descriptor) < 0 && errno == EBUSY)
            continue;
    if (terminal > 2)
        close(terminal);
    return 0;
}

int forkpty(int *master, char *name, const struct termios *settings, const struct winsize *size)
{
    int ours, theirs;
    if (openpty(&ours, &theirs, name, settings, size) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        close(ours);
        if (login_tty(theirs) < 0)
            _exit(1);
        return 0;
    }
    int reason = errno;
    close(theirs);
    if (child < 0)
        close(ours);
    else
        *master = ours;
    errno = reason;
    return child;
}
