#define _GNU_SOURCE 1
#include "again.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "paths.h"

#include "live.h"

#define NAME "COACHWHIP_START_AGAIN"

static char **arguments;
static const char *reason_before;

void cw_again_open(char **argv)
{
    arguments = argv;
    reason_before = getenv(NAME);
    if (reason_before)
        unsetenv(NAME); /* of the environment's strings, which stay where they are */
}

const char *cw_again_reason(void)
{
    return reason_before;
}

static void execute(char **variables)
{
    /* Not libc's, which is ours. */
    (void)syscall(SYS_execve, "/proc/self/exe", arguments, variables);
    (void)syscall(SYS_execve, cw_self_path(), arguments, variables);
}

void cw_again(const char *reason)
{
    static const char start[] = NAME "=";
    char entry[sizeof start + 200];
    size_t count = 0, size = strlen(reason);
    while (environ && environ[count])
        count++;
    if (size > sizeof entry - sizeof start)
        size = sizeof entry - sizeof start;
    memcpy(entry, start, sizeof start - 1);
    memcpy(entry + sizeof start - 1, reason, size);
    entry[sizeof start - 1 + size] = '\0';
    char *variables[count + 2];
    memcpy(variables, environ, count * sizeof *variables);
    variables[count] = entry;
    variables[count + 1] = NULL;
    execute(variables);
}
