/* Functions that start programs. */
#define _GNU_SOURCE 1
#include <spawn.h>
#include <string.h>
#include <sys/types.h>

#include "launch.h"
#include "sys.h"
#include "wrap.h"

#include "live.h"

static int raw_execve(const char *path, char *const *argv, char *const *envp)
{
    return (int)syscall(SYS_execve, path, argv, envp);
}

CW_NEXT_OR(execve, raw_execve, int, const char *, char *const *, char *const *)
CW_NEXT(execvpe, int, const char *, char *const *, char *const *)
CW_NEXT(fexecve, int, int, char *const *, char *const *)
typedef const posix_spawn_file_actions_t actions_type;
typedef const posix_spawnattr_t attributes_type;
CW_NEXT(posix_spawn, int, pid_t *, const char *, actions_type *, attributes_type *, char *const *,
        char *const *)
CW_NEXT(posix_spawnp, int, pid_t *, const char *, actions_type *, attributes_type *, char *const *,
        char *const *)

/* Looked up before there is any child of vfork() or of a process with threads, which could not do it. */
__attribute__((constructor)) static void look_up(void)
{
    (void)next_execve();
}

static int run_execve(const struct cw_launch *launch, void *context)
{
    (void)context;
    next_execve()(launch->program, launch->argv, launch->envp);
    return -errno;
}

int cw_execve(const char *path, char *const *argv, char *const *envp) CW_EXPORT(execve);
int cw_execve(const char *path, char *const *argv, char *const *envp)
{
    struct cw_launch asked = {path, argv, envp};
    return cw_result(cw_launch(&asked, run_execve, NULL));
}

int cw_execv(const char *path, char *const *argv) CW_EXPORT(execv);
int cw_execv(const char *path, char *const *argv)
{
    return cw_execve(path, argv, environ);
}

int cw_execvpe(const char *file, char *const *argv, char *const *envp) CW_EXPORT(execvpe);
int cw_execvpe(const char *file, char *const *argv, char *const *envp)
{
    char room[PATH_MAX];
    const char *path = cw_search(file, room);
    if (strchr(path, '/'))
        cw_execve(path, argv, envp);
    if (strchr(path, '/') && errno != ENOEXEC)
        return -1;
    return next_execvpe()(file, argv, envp); /* a script without a first line, or nothing */
}

int cw_execvp(const char *file, char *const *argv) CW_EXPORT(execvp);
int cw_execvp(const char *file, char *const *argv)
{
    return cw_execvpe(file, argv, environ);
}

static int run_fexecve(const struct cw_launch *launch, void *context)
{
    next_fexecve()(*(const int *)context, launch->argv, launch->envp);
    return -errno;
}

int cw_fexecve(int fd, char *const *argv, char *const *envp) CW_EXPORT(fexecve);
int cw_fexecve(int fd, char *const *argv, char *const *envp)
{
    char link[SYS_LINK];
    sys_fd_link(link, fd < 0 ? 0 : fd);
    struct cw_launch asked = {link, argv, envp};
    return cw_result(cw_launch(&asked, run_fexecve, &fd));
}

struct spawn {
    pid_t *pid;
    actions_type *actions;
    attributes_type *attributes;
};

static int run_spawn(const struct cw_launch *launch, void *context)
{
    const struct spawn *spawn = context;
    return -next_posix_spawn()(spawn->pid, launch->program, spawn->actions, spawn->attributes, launch->argv,
                               launch->envp);
}

int cw_posix_spawn(pid_t *pid, const char *path, actions_type *actions, attributes_type *attributes,
                   char *const *argv, char *const *envp) CW_EXPORT(posix_spawn);
int cw_posix_spawn(pid_t *pid, const char *path, actions_type *actions, attributes_type *attributes,
                   char *const *argv, char *const *envp)
{
    struct cw_launch asked = {path, argv, envp};
    struct spawn spawn = {pid, actions, attributes};
    return -cw_launch(&asked, run_spawn, &spawn);
}

int cw_posix_spawnp(pid_t *pid, const char *file, actions_type *actions, attributes_type *attributes,
                   char *const *argv, char *const *envp) CW_EXPORT(posix_spawnp);
int cw_posix_spawnp(pid_t *pid, const char *file, actions_type *actions, attributes_type *attributes,
                    char *const *argv, char *const *envp)
{
    char room[PATH_MAX];
    const char *path = cw_search(file, room);
    if (!strchr(path, '/'))
        return next_posix_spawnp()(pid, file, actions, attributes, argv, envp); /* knows why there is none */
    return cw_posix_spawn(pid, path, actions, attributes, argv, envp);
}
