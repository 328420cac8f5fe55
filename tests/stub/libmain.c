/* An extension module: needs a library beside it, and reads files by path. */
#include <stdio.h>

int dep_answer(void);
int answer(void);
long read_first(const char *path, char *to, size_t size);

int answer(void)
{
    return dep_answer();
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
