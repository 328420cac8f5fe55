/* launch PROGRAM [ARGUMENT...]: run a program, its streams on /dev/null, and print what it took:
 * wall time (ns), processor time (us), peak resident set (kB), page faults, exit status as wait(2) gives it.
 *
 * In C, because the kernel counts the memory of whoever spawns a process into the peak of that process:
 * a Python that spawned it would be the least that is ever measured.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static long long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long microseconds(struct timeval t)
{
    return t.tv_sec * 1000000LL + t.tv_usec;
}

int main(int argc, char **argv)
{
    posix_spawn_file_actions_t streams;
    struct rusage usage;
    pid_t pid;
    int status;

    if (argc < 2) {
        fprintf(stderr, "usage: launch PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    posix_spawn_file_actions_init(&streams);
    for (int fd = 0; fd < 3; fd++) {
        posix_spawn_file_actions_addopen(&streams, fd, "/dev/null", O_RDWR, 0);
    }
    long long begin = now();
    int error = posix_spawn(&pid, argv[1], &streams, NULL, argv + 1, environ);
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(error));
        return 1;
    }
    if (wait4(pid, &status, 0, &usage) != pid) {
        perror("wait4");
        return 1;
    }
    long long end = now();
    printf("%lld %lld %ld %ld %d\n", end - begin, microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
           usage.ru_maxrss, usage.ru_minflt + usage.ru_majflt, status);
    return 0;
}
