#define _GNU_SOURCE 1
#include "rebake.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bake.h"
#include "cache.h"
#include "machine.h"
#include "paths.h"
#include "say.h"
#include "snapshot.h"
#include "stub.h"
#include "sys.h"
#include "used.h"

#include "live.h"

static const char OPTION[] = "--coachwhip-bake";
/* Where it is written before it gets its name. */
static const char NEW[] = "." CW_MACHINE_FILE;
/* Descriptors are kept away from the numbers of the standard streams, which may be closed. */
enum { FIRST_FD = 100 };

/* One baking: the product's directory, and the new file in it, locked. */
struct oven {
    struct cw_candidate place;
    int app, fd;
};

__attribute__((noreturn)) static void give_up(const struct oven *oven, const char *what, const char *why)
{
    sys_unlinkat(oven->app, NEW, 0);
    cw_die(CW_EXIT_START, cw_self_path(), "%s: %s", what, why);
}

static int high(int fd)
{
    int moved = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
    sys_close(fd);
    return fd >= 0 && moved < 0 ? -errno : moved;
}

static void open_place(struct oven *oven)
{
    const char *self = cw_self_path();
    if (!cw_machine_place(&oven->place))
        cw_die(CW_EXIT_START, self, "there is no folder for a snapshot; set HOME, or COACHWHIP_CACHE_DIR");
    oven->app = high(cw_cache_open(&oven->place));
    if (oven->app == -EPERM)
        cw_die(CW_EXIT_START, self, "%s can't hold a snapshot: somebody else could change files in it",
            oven->place.parent);
    if (oven->app < 0)
        cw_die(CW_EXIT_START, self, "%s can't hold a snapshot: %s", oven->place.parent, strerror(-oven->app));
    cw_used_make(oven->app);
    cw_used_touch(oven->app);
}

/* What another baking left unfinished is written over; one that is under way holds the lock. */
static int open_new(const struct oven *oven)
{
    struct stat opened, named;
    int fd = high(sys_openat(oven->app, NEW, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (fd < 0)
        return fd;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return -EBUSY;
    if (sys_fstat(fd, &opened) < 0 || sys_fstatat(oven->app, NEW, &named, AT_SYMLINK_NOFOLLOW) < 0
        || opened.st_ino != named.st_ino)
        return -EBUSY;
    if (!S_ISREG(opened.st_mode))
        return -EEXIST;
    return fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0 ? fd : -errno;
}

/* Nothing to read, nothing to write but what goes wrong; the last only if it is to be heard. */
static bool open_streams(void)
{
    int null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        return false;
    if (fcntl(STDERR_FILENO, F_GETFD) < 0 && dup2(null, STDERR_FILENO) < 0)
        return false;
    if (null > STDERR_FILENO)
        sys_close(null);
    return true;
}

/* The program that is saved knows nothing of this one's surroundings, as when the product was built. */
__attribute__((noreturn)) static void be_saved(const struct oven *oven, char *name)
{
    char wish[64];
    char *environment[] = {wish, "LC_ALL=C", "HOME=/dev/null", "PATH=/bin:/usr/bin", NULL};
    char *arguments[] = {name, NULL};
    snprintf(wish, sizeof wish, CW_BAKE_VARIABLE "=" CW_BAKE_HERE "%d", oven->fd);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!open_streams() || syscall(SYS_chdir, "/") < 0 || fcntl(oven->fd, F_SETFD, 0) < 0)
        cw_die(CW_EXIT_START, cw_self_path(), "no snapshot can be made: %s", strerror(errno));
    if (getauxval(AT_BASE) != 0) /* otherwise it would be the loader, see main.c */
        syscall(SYS_execve, "/proc/self/exe", arguments, environment);
    syscall(SYS_execve, cw_self_path(), arguments, environment);
    cw_die(CW_EXIT_START, cw_self_path(), "it can't be started again: %s", strerror(errno));
}

/* Has a process of its own write the memory. A signal from the keyboard is for that one. */
static void bake(const struct oven *oven, char *name)
{
    int status = 0;
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    pid_t child = fork();
    if (child == 0)
        be_saved(oven, name);
    if (child < 0)
        give_up(oven, "no snapshot can be made", strerror(errno));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGQUIT, SIG_DFL);
    if (WIFSIGNALED(status)) {
        sys_unlinkat(oven->app, NEW, 0);
        if (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGQUIT)
            raise(WTERMSIG(status));
        give_up(oven, "no snapshot can be made", strsignal(WTERMSIG(status)));
    }
    if (WEXITSTATUS(status) != 0) { /* it has told why */
        sys_unlinkat(oven->app, NEW, 0);
        _exit(CW_EXIT_START);
    }
}

/* Gives the file its name when later starts will take it. Returns its size in bytes. */
static uint64_t finish(const struct oven *oven)
{
    const char *fault;
    struct cw_bytes bytes = cw_machine_map(oven->fd, &fault);
    if (!fault)
        fault = cw_snapshot_check(bytes, CW_OF_MACHINE);
    if (fault)
        give_up(oven, "the snapshot that was made is of no use", fault);
    /* Its bytes before its name, or a machine that loses power now would keep a name without them. */
    int result = fsync(oven->fd) == 0 ? 0 : -errno;
    if (result == 0)
        result = sys_renameat(oven->app, NEW, oven->app, CW_MACHINE_FILE);
    if (result < 0)
        give_up(oven, "the snapshot can't be kept", strerror(-result));
    (void)fsync(oven->app);
    return bytes.size;
}

static const char *base_name(void)
{
    const char *slash = strrchr(cw_self_path(), '/');
    return slash ? slash + 1 : cw_self_path();
}

static int make(char *name)
{
    struct oven oven;
    char path[PATH_MAX];
    if (!cw_snapshot_plan(cw_image_snapshot(&cw_image)).size)
        cw_die(CW_EXIT_START, cw_self_path(), "it was built without a snapshot: there is none to be made anew");
    open_place(&oven);
    oven.fd = open_new(&oven);
    if (oven.fd == -EBUSY)
        cw_die(CW_EXIT_START, cw_self_path(), "somebody is making the snapshot at this moment");
    if (oven.fd < 0)
        cw_die(CW_EXIT_START, cw_self_path(), "%s can't hold a snapshot: %s", oven.place.parent, strerror(-oven.fd));
    bake(&oven, name);
    uint64_t size = finish(&oven);
    unsigned tenths = (unsigned)((size + 50000) / 100000);
    if (cw_cache_path(&oven.place, CW_MACHINE_FILE, path) < 0)
        *path = '\0';
    int said = dprintf(STDOUT_FILENO, "%s: made a snapshot for this machine, %u.%u MB: %s; %s=remove removes it\n",
        base_name(), tenths / 10, tenths % 10, path, OPTION);
    return said < 0;
}

static int remove_made(void)
{
    struct cw_candidate place;
    if (!cw_machine_place(&place) || !cw_machine_has(&place))
        return dprintf(STDOUT_FILENO, "%s: there is no snapshot for this machine\n", base_name()) < 0;
    int app = cw_cache_open(&place);
    int result = app < 0 ? app : sys_unlinkat(app, CW_MACHINE_FILE, 0);
    if (result < 0)
        cw_die(CW_EXIT_START, cw_self_path(), "its snapshot can't be removed: %s", strerror(-result));
    return dprintf(STDOUT_FILENO, "%s: removed the snapshot for this machine\n", base_name()) < 0;
}

void cw_rebake_if_asked(const struct cw_start *start)
{
    const size_t size = sizeof OPTION - 1;
    const char *wish = start->argc == 2 ? start->argv[1] : "";
    if (!(cw_image.settings->flags & CW_REBAKE) || start->interpreter || strncmp(wish, OPTION, size) != 0)
        return;
    bool removes = strcmp(wish + size, "=remove") == 0;
    if (!removes && wish[size])
        return;
    if (getauxval(AT_SECURE))
        cw_die(CW_EXIT_START, cw_self_path(), "a setuid program keeps no snapshot of its user");
    _exit(removes ? remove_made() : make(start->argv[0]));
}
