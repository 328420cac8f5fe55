/* Functions that run a command of the shell. */
#define _GNU_SOURCE 1
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rewrite.h"
#include "wrap.h"

#include "live.h"

CW_NEXT(system, int, const char *)
CW_NEXT(popen, FILE *, const char *, const char *)

static bool names_ours(const char *text)
{
    char *texts[] = {(char *)(uintptr_t)text, NULL};
    return cw_names_ours(texts);
}

/* What system(3) does to signals while the command runs. */
struct quiet {
    struct sigaction interrupt, quit;
    sigset_t mask;
};

static void be_quiet(struct quiet *before)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigaction(SIGINT, &ignore, &before->interrupt);
    sigaction(SIGQUIT, &ignore, &before->quit);
    sigprocmask(SIG_BLOCK, &child, &before->mask);
}

static void end_quiet(const struct quiet *before)
{
    sigaction(SIGINT, &before->interrupt, NULL);
    sigaction(SIGQUIT, &before->quit, NULL);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* Starts the shell with the signals as they were, and with our paths in the command and in the environment made
 * real: posix_spawn here is ours. */
static int start_shell(pid_t *child, const char *command, const struct quiet *before)
{
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    posix_spawnattr_t attributes;
    sigset_t defaults;
    sigemptyset(&defaults);
    if (before->interrupt.sa_handler != SIG_IGN)
        sigaddset(&defaults, SIGINT);
    if (before->quit.sa_handler != SIG_IGN)
        sigaddset(&defaults, SIGQUIT);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setsigmask(&attributes, &before->mask);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    int fault = posix_spawn(child, "/bin/sh", NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    return fault;
}

static __attribute__((noinline)) int system_with_ours(const char *command)
{
    struct quiet before;
    pid_t child = -1;
    int status = -1;
    be_quiet(&before);
    int fault = start_shell(&child, command, &before);
    while (!fault && waitpid(child, &status, 0) < 0)
        fault = errno == EINTR ? 0 : errno;
    end_quiet(&before);
    if (!fault)
        return status;
    errno = fault;
    return -1;
}

int cw_system(const char *command) CW_EXPORT(system);
int cw_system(const char *command)
{
    if (command && (names_ours(command) || cw_names_ours(environ)))
        return system_with_ours(command);
    return next_system()(command);
}

enum { LONGEST_COMMAND = 256 * 1024 };

/* The shell gets a command with real paths in it; the environment stays as it is. */
static __attribute__((noinline)) FILE *popen_with_ours(const char *command, const char *mode)
{
    void *memory = mmap(NULL, LONGEST_COMMAND, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return next_popen()(command, mode);
    struct cw_arena arena = {.at = memory, .left = LONGEST_COMMAND};
    const char *real = cw_rewrite(&arena, command);
    FILE *stream = next_popen()(real ? real : command, mode);
    munmap(memory, LONGEST_COMMAND);
    return stream;
}

FILE *cw_popen(const char *command, const char *mode) CW_EXPORT(popen);
FILE *cw_popen(const char *command, const char *mode)
{
    return names_ours(command) ? popen_with_ours(command, mode) : next_popen()(command, mode);
}
