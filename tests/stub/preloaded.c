/* A library that a user preloads: it has its own idea of the owner of every file. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

int access(const char *path, int mode)
{
    if (strcmp(path, "/no/such/file") == 0)
        return 0;
    int (*next)(const char *, int) = (int (*)(const char *, int))(uintptr_t)dlsym(RTLD_NEXT, "access");
    return next(path, mode);
}
