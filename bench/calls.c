/* calls PROGRAM [ARGUMENT...]: run a program, its streams on /dev/null, and print how many system calls it and all
 * that it started have made, and its exit status as wait(2) gives it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* The first system call that is counted is the one after the execve. */
static void become(char **argv)
{
    int null = open("/dev/null", O_RDWR);

    for (int fd = 0; fd < 3; fd++) {
        dup2(null, fd);
    }
    if (null > 2) {
        close(null);
    }
    raise(SIGSTOP);
    execv(argv[0], argv);
    _exit(127);
}

static pid_t start(char **argv)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE
        | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        become(argv);
    }
    if (pid < 0 || waitpid(pid, &status, WUNTRACED) != pid) {
        fail("fork");
    }
    if (ptrace(PTRACE_SEIZE, pid, 0, options) != 0) {
        fail("ptrace");
    }
    kill(pid, SIGCONT);
    return pid;
}

/* Whether a stop is at the beginning of a system call; each has one at its end as well. */
static int begins_call(pid_t pid)
{
    struct __ptrace_syscall_info info;

    return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* What a process that stopped is to go on with: its signal, if it has got one. */
static int signal_of(int status)
{
    int number = WSTOPSIG(status);
    int of_tracer = number == (SIGTRAP | 0x80) || status >> 16 != 0;

    return of_tracer ? 0 : number;
}

int main(int argc, char **argv)
{
    long calls = 0;
    int status, last = 0;
    pid_t pid;

    if (argc < 2) {
        fprintf(stderr, "usage: calls PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    pid_t first = start(argv + 1);
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            last = pid == first ? status : last;
            continue;
        }
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8) && pid == first) {
            calls = 0;
        } else if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            calls += begins_call(pid);
        }
        ptrace(PTRACE_SYSCALL, pid, 0, signal_of(status));
    }
    printf("%ld %d\n", calls, last);
    return 0;
}
