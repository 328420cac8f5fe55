/* What OpenSSL asks when a context takes the default authorities: the file, then the directory. `ROOT COUNT` asks for
 * COUNT contexts on a machine whose files are below ROOT, and prints every directory that is listed. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *__wrap_X509_get_default_cert_file(void);
const char *__wrap_X509_get_default_cert_dir(void);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);

static const char *root;

DIR *__wrap_opendir(const char *path)
{
    char there[PATH_MAX];
    printf("lists %s\n", path);
    snprintf(there, sizeof there, "%s%s", root, path);
    return __real_opendir(there);
}

int __wrap_access(const char *path, int mode)
{
    char there[PATH_MAX];
    snprintf(there, sizeof there, "%s%s", root, path);
    return __real_access(there, mode);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    root = argv[1];
    for (int count = atoi(argv[2]); count > 0; count--) {
        const char *file = __wrap_X509_get_default_cert_file();
        const char *folder = __wrap_X509_get_default_cert_dir();
        printf("%s %s\n", file, folder);
    }
    printf("alone %s\n", __wrap_X509_get_default_cert_dir());
    return 0;
}
