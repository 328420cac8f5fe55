/* An extension module: needs a library beside it, and reads files by path. */
#include <dlfcn.h>
#include <stdio.h>

int dep_answer(void);
int answer(void);
int lazy_answer(void);
long read_first(const char *path, char *to, size_t size);

int answer(void)
{
    return dep_answer();
}

/* Loads a library by its bare name, which the loader looks for along this library's own $ORIGIN. */
int lazy_answer(void)
{
    void *handle = dlopen("liblazy.so", RTLD_NOW);
    int *number = handle ? dlsym(handle, "lazy_number") : NULL;
    return number ? *number : -1;
}

long read_first(const char *path, char *to, size_t size)
{
    FILE *stream = fopen(path, "r");
    if (!stream)
        return -1;
    long got = (long)fread(to, 1, size, stream);
    fclose(stream);
    return got;
}
