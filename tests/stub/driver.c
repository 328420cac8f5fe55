/* A program that is to the stub's file part what CPython is: it calls libc on paths and prints what comes back.
 *
 * Arguments are VERB or VERB=TEXT, done one after the other, one line of output each. `run`, `vrun`, `spawn`
 * and `spawnp` take all arguments after them. The image is the file that CW_TEST_IMAGE names; a process that
 * was started as the product's interpreter prints that and its arguments.
 */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cache.h"
#include "listing.h"
#include "machine.h"
#include "paths.h"
#include "say.h"
#include "unpack.h"
#include "wrap.h"

extern char **environ;
struct cw_image cw_image;

static const char *code(int fault)
{
    const char *name = strerrorname_np(fault);
    return name ? name : "?";
}

static void outcome(const char *verb, long result)
{
    if (result < 0)
        printf("%s %s\n", verb, code(errno));
    else
        printf("%s ok\n", verb);
}

static void tell(const char *verb, int result, const struct stat *info)
{
    if (result < 0) {
        outcome(verb, result);
        return;
    }
    printf("%s %c %03o %lld %lld %llu\n", verb, S_ISDIR(info->st_mode) ? 'd' : 'f', info->st_mode & 0777,
           (long long)info->st_size, (long long)info->st_mtime, (unsigned long long)info->st_ino);
}

static void do_stat(const char *verb, const char *path)
{
    struct stat info;
    tell(verb, stat(path, &info), &info);
}

static void do_lstat(const char *verb, const char *path)
{
    struct stat info;
    tell(verb, lstat(path, &info), &info);
}

static void do_statx(const char *verb, const char *path)
{
    struct statx more;
    struct stat info = {0};
    int result = statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &more);
    info.st_mode = more.stx_mode;
    info.st_size = (off_t)more.stx_size;
    info.st_mtime = more.stx_mtime.tv_sec;
    info.st_ino = more.stx_ino;
    tell(verb, result, &info);
}

static void do_read(const char *verb, const char *path)
{
    outcome(verb, access(path, R_OK));
}

static void do_write(const char *verb, const char *path)
{
    outcome(verb, access(path, W_OK));
}

static void do_execute(const char *verb, const char *path)
{
    outcome(verb, access(path, X_OK));
}

static void show(const char *verb, const char *data, long size)
{
    printf("%s %ld ", verb, size);
    for (long n = 0; n < size && n < 60; n++)
        putchar(data[n] >= ' ' && data[n] <= '~' ? data[n] : '.');
    putchar('\n');
}

static void do_cat(const char *verb, const char *path)
{
    static char buffer[1 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        outcome(verb, fd);
        return;
    }
    long size = 0, got;
    while ((got = read(fd, buffer + size, sizeof buffer - (size_t)size)) > 0)
        size += got;
    close(fd);
    show(verb, buffer, size);
}

static void do_machine(const char *verb, const char *text)
{
    const char *fault;
    (void)text;
    struct cw_bytes bytes = cw_machine_snapshot(&fault);
    if (fault)
        printf("%s not used: %s\n", verb, fault);
    else if (!bytes.size)
        printf("%s none\n", verb);
    else
        printf("%s %llu %.12s\n", verb, (unsigned long long)bytes.size, (const char *)bytes.data);
    cw_machine_unmap(bytes);
}

static void show_stream(const char *verb, FILE *stream)
{
    char buffer[100];
    if (!stream) {
        outcome(verb, -1);
        return;
    }
    size_t size = fread(buffer, 1, sizeof buffer, stream);
    fclose(stream);
    show(verb, buffer, (long)size);
}

static void do_fcat(const char *verb, const char *path)
{
    show_stream(verb, fopen(path, "r"));
}

static void do_reopen(const char *verb, const char *path)
{
    show_stream(verb, freopen(path, "r", fopen("/dev/null", "r")));
}

/* Where an open file really is. */
static void do_where(const char *verb, const char *path)
{
    char link[64], real[PATH_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        outcome(verb, fd);
        return;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, real, sizeof real - 1);
    close(fd);
    printf("%s %.*s\n", verb, (int)size, real);
}

static int by_name(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void do_scandir(const char *verb, const char *path)
{
    struct dirent **list;
    int count = scandir(path, &list, is_entry, by_name);
    if (count < 0) {
        outcome(verb, count);
        return;
    }
    printf("%s", verb);
    for (int n = 0; n < count; n++) {
        printf(" %s%s", list[n]->d_name, list[n]->d_type == DT_DIR ? "/" : "");
        free(list[n]);
    }
    free(list);
    putchar('\n');
}

static int compare_texts(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static void list(const char *verb, DIR *stream)
{
    char *names[200];
    size_t count = 0;
    if (!stream) {
        outcome(verb, -1);
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(stream)) && count < 200)
        if (is_entry(entry))
            names[count++] = strdup(entry->d_name);
    closedir(stream);
    qsort(names, count, sizeof *names, compare_texts);
    printf("%s", verb);
    for (size_t n = 0; n < count; n++) {
        printf(" %s", names[n]);
        free(names[n]);
    }
    putchar('\n');
}

static void do_ls(const char *verb, const char *path)
{
    list(verb, opendir(path));
}

/* A directory as libpython lists it, twice, with each entry's number and kind held against lstat's. */
static void do_list(const char *verb, const char *path)
{
    char name[PATH_MAX];
    const struct dirent *entry;
    DIR *stream = __wrap_opendir(path);
    if (!stream) {
        outcome(verb, -1);
        return;
    }
    while (__wrap_readdir(stream))
        continue;
    __wrap_rewinddir(stream);
    printf("%s", verb);
    while ((entry = __wrap_readdir(stream))) {
        struct stat info;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        bool same = lstat(name, &info) == 0 && info.st_ino == entry->d_ino &&
                    S_ISDIR(info.st_mode) == (entry->d_type == DT_DIR);
        printf(" %s%s%s", entry->d_name, entry->d_type == DT_DIR ? "/" : "", same ? "" : "!");
    }
    putchar('\n');
    __wrap_closedir(stream);
}

/* Opens a directory many times at once as libpython does. */
static void do_many_lists(const char *verb, const char *path)
{
    DIR *streams[100];
    int count = 0;
    for (int n = 0; n < 100; n++)
        streams[n] = __wrap_opendir(path);
    for (int n = 0; n < 100; n++) {
        while (streams[n] && __wrap_readdir64(streams[n]))
            count++;
        if (streams[n])
            __wrap_closedir(streams[n]);
    }
    printf("%s %d\n", verb, count);
}

/* A file as libpython opens it. */
static void do_copy(const char *verb, const char *path)
{
    char buffer[100];
    struct stat info;
    int fd = __wrap_open64(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 || fstat(fd, &info) < 0) {
        outcome(verb, -1);
        return;
    }
    ssize_t size = read(fd, buffer, sizeof buffer);
    bool writable = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
    printf("%s %03o %lld %lld %zd%s%s\n", verb, info.st_mode & 0777, (long long)info.st_size,
           (long long)info.st_mtime, size, writable ? " writable" : "",
           fcntl(fd, F_GETFD) & FD_CLOEXEC ? "" : " inherited");
    close(fd);
}

/* DIR:NAME, the second relative to a descriptor of the first. */
static void do_ls_at(const char *verb, const char *text)
{
    char dir[PATH_MAX];
    const char *colon = strchr(text, ':');
    snprintf(dir, sizeof dir, "%.*s", (int)(colon - text), text);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int below = openat(fd, colon + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    list(verb, below < 0 ? NULL : fdopendir(below));
    close(fd);
}

static void do_open_write(const char *verb, const char *path)
{
    outcome(verb, open(path, O_WRONLY | O_CREAT, 0644));
}

static void do_open_exclusively(const char *verb, const char *path)
{
    outcome(verb, open(path, O_RDWR | O_CREAT | O_EXCL, 0644));
}

static void do_open_directory(const char *verb, const char *path)
{
    outcome(verb, open(path, O_RDONLY | O_DIRECTORY));
}

static void do_readlink(const char *verb, const char *path)
{
    char buffer[100];
    outcome(verb, readlink(path, buffer, sizeof buffer));
}

static void do_realpath(const char *verb, const char *path)
{
    char *real = realpath(path, NULL);
    if (real)
        printf("%s %s\n", verb, real);
    else
        outcome(verb, -1);
    free(real);
}

static void do_chdir(const char *verb, const char *path)
{
    outcome(verb, chdir(path));
}

static void do_mkdir(const char *verb, const char *path)
{
    outcome(verb, mkdir(path, 0755));
}

static void do_unlink(const char *verb, const char *path)
{
    outcome(verb, unlink(path));
}

static void do_rename(const char *verb, const char *path)
{
    outcome(verb, rename("/tmp/nothing", path));
}

static void do_chmod(const char *verb, const char *path)
{
    outcome(verb, chmod(path, 0600));
}

static void do_statvfs(const char *verb, const char *path)
{
    struct statvfs info;
    int result = statvfs(path, &info);
    if (result < 0)
        outcome(verb, result);
    else
        printf("%s %s\n", verb, info.f_flag & ST_RDONLY ? "read-only" : "writable");
}

static void do_xattr(const char *verb, const char *path)
{
    char buffer[10];
    long listed = listxattr(path, buffer, sizeof buffer);
    long got = getxattr(path, "user.x", buffer, sizeof buffer);
    printf("%s %ld %s\n", verb, listed, got < 0 ? code(errno) : "ok");
}

static void do_tree(const char *verb, const char *path)
{
    char real[PATH_MAX];
    int result = cw_unpack_tree(path, real, sizeof real);
    printf("%s %s\n", verb, result < 0 ? code(-result) : real);
}

static void do_fault(const char *verb, const char *text)
{
    (void)text;
    printf("%s %s\n", verb, cw_cache_fault());
}

static void do_dlopen(const char *verb, const char *path)
{
    void *handle = dlopen(path, RTLD_NOW);
    if (!handle) {
        printf("%s failed: %s\n", verb, dlerror());
        return;
    }
    int (*answer)(void) = (int (*)(void))(uintptr_t)dlsym(handle, "answer");
    void *again = dlopen(path, RTLD_NOW);
    printf("%s %d %s\n", verb, answer ? answer() : -1, again == handle ? "same" : "different");
}

static void do_lazily(const char *verb, const char *path)
{
    void *handle = dlopen(path, RTLD_NOW);
    int (*answer)(void) = handle ? (int (*)(void))(uintptr_t)dlsym(handle, "lazy_answer") : NULL;
    printf("%s %d\n", verb, answer ? answer() : -2);
}

/* What a library of a wheel sees when it calls libc: the first library that was given. */
static void do_from_library(const char *verb, const char *text)
{
    char library[PATH_MAX], buffer[100];
    const char *colon = strchr(text, ':');
    snprintf(library, sizeof library, "%.*s", (int)(colon - text), text);
    void *handle = dlopen(library, RTLD_NOW);
    long (*first)(const char *, char *, size_t) =
        handle ? (long (*)(const char *, char *, size_t))(uintptr_t)dlsym(handle, "read_first") : NULL;
    if (first)
        show(verb, buffer, first(colon + 1, buffer, sizeof buffer));
    else
        printf("%s failed: %s\n", verb, dlerror());
}

static void do_system(const char *verb, const char *text)
{
    fflush(stdout);
    int status = system(text);
    printf("%s %d\n", verb, WEXITSTATUS(status));
}

static void do_popen(const char *verb, const char *text)
{
    char buffer[PATH_MAX] = "";
    FILE *stream = popen(text, "r");
    if (stream && fgets(buffer, sizeof buffer, stream))
        buffer[strcspn(buffer, "\n")] = '\0';
    printf("%s %s\n", verb, buffer);
    if (stream)
        pclose(stream);
}

static void do_setenv(const char *verb, const char *text)
{
    const char *colon = strchr(text, ':');
    char name[100];
    (void)verb;
    snprintf(name, sizeof name, "%.*s", (int)(colon - text), text);
    setenv(name, colon + 1, 1);
}

static void do_close_all(const char *verb, const char *text)
{
    (void)text;
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    printf("%s ok\n", verb);
}

static void do_fork(const char *verb, const char *path)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        do_cat(verb, path);
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void *read_in_thread(void *path)
{
    for (int n = 0; n < 20; n++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        char byte;
        if (fd < 0 || read(fd, &byte, 1) != 1)
            return (void *)1;
        close(fd);
    }
    return NULL;
}

static void do_threads(const char *verb, const char *path)
{
    pthread_t threads[8];
    bool good = true;
    for (int n = 0; n < 8; n++)
        pthread_create(&threads[n], NULL, read_in_thread, (void *)(uintptr_t)path);
    for (int n = 0; n < 8; n++) {
        void *failed;
        pthread_join(threads[n], &failed);
        good = good && !failed;
    }
    printf("%s %s\n", verb, good ? "ok" : "failed");
}

static void do_limit(const char *verb, const char *text)
{
    struct rlimit limit = {(rlim_t)atol(text), (rlim_t)atol(text)};
    (void)verb;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* The lowest descriptor that is free. */
static void do_lowest(const char *verb, const char *text)
{
    (void)text;
    int fd = dup(0);
    printf("%s %d\n", verb, fd);
    close(fd);
}

static void do_wait(const char *verb, const char *text)
{
    (void)text;
    printf("%s\n", verb);
    fflush(stdout);
    while (getchar() != '\n')
        continue;
}

/* What a program reads from a file that posix_spawn() opens for it; FLAGS:PATH. */
static void do_spawn_open(const char *verb, const char *text)
{
    static char *const argv[] = {"cat", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int status = 0;
    int flags = strncmp(text, "r:", 2) == 0 ? O_RDONLY : O_RDWR | O_CREAT;
    fflush(stdout);
    posix_spawn_file_actions_init(&actions);
    int fault = posix_spawn_file_actions_addopen(&actions, 0, text + 2, flags, 0644);
    if (fault == 0)
        fault = posix_spawn(&child, "/bin/cat", &actions, NULL, argv, environ);
    if (fault == 0)
        waitpid(child, &status, 0);
    printf("%s %s\n", verb, fault ? code(fault) : "ok");
    posix_spawn_file_actions_destroy(&actions);
}

static const struct {
    const char *name;
    void (*act)(const char *verb, const char *text);
} VERBS[] = {
    {"stat", do_stat},           {"lstat", do_lstat},       {"statx", do_statx},
    {"read", do_read},           {"write", do_write},       {"execute", do_execute},
    {"cat", do_cat},             {"fcat", do_fcat},         {"where", do_where},
    {"reopen", do_reopen},       {"ls", do_ls},             {"scandir", do_scandir},
    {"ls_at", do_ls_at},         {"open_w", do_open_write}, {"open_x", do_open_exclusively},
    {"open_d", do_open_directory}, {"readlink", do_readlink}, {"realpath", do_realpath},
    {"chdir", do_chdir},         {"mkdir", do_mkdir},       {"unlink", do_unlink},
    {"rename", do_rename},       {"chmod", do_chmod},       {"statvfs", do_statvfs},
    {"xattr", do_xattr},         {"tree", do_tree},         {"fault", do_fault},
    {"dlopen", do_dlopen},       {"from_library", do_from_library}, {"system", do_system},
    {"popen", do_popen},         {"setenv", do_setenv},     {"close_all", do_close_all},
    {"fork", do_fork},           {"threads", do_threads},   {"limit", do_limit},
    {"machine", do_machine},
    {"lowest", do_lowest},       {"wait", do_wait},
    {"list", do_list},           {"many_lists", do_many_lists}, {"copy", do_copy},
    {"lazily", do_lazily},       {"spawn_open", do_spawn_open},
};

static int report(const char *verb, pid_t child)
{
    int status = 0;
    if (child > 0)
        waitpid(child, &status, 0);
    printf("%s %d\n", verb, WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
    return 0;
}

/* As subprocess does it: the child shares the memory of its parent. */
static int do_vrun(char **argv)
{
    volatile int fault = 0;
    fflush(stdout);
    pid_t child = vfork();
    if (child == 0) {
        execve(argv[0], argv, environ);
        fault = errno;
        _exit(99);
    }
    if (fault)
        printf("vrun %s\n", code(fault));
    return report("vrun", child);
}

static int do_spawn(char **argv, bool search)
{
    pid_t child = 0;
    fflush(stdout);
    int fault = search ? posix_spawnp(&child, argv[0], NULL, NULL, argv, environ)
                       : posix_spawn(&child, argv[0], NULL, NULL, argv, environ);
    if (fault) {
        printf("spawn %s\n", code(fault));
        return 0;
    }
    return report("spawn", child);
}

static int act(char **arguments)
{
    for (; *arguments; arguments++) {
        char *verb = *arguments, *text = strchr(verb, '=');
        if (strcmp(verb, "run") == 0) {
            fflush(stdout);
            execvp(arguments[1], arguments + 1);
            printf("run %s\n", code(errno));
            return 1;
        }
        if (strcmp(verb, "vrun") == 0)
            return do_vrun(arguments + 1);
        if (strcmp(verb, "spawn") == 0 || strcmp(verb, "spawnp") == 0)
            return do_spawn(arguments + 1, verb[5] == 'p');
        if (text)
            *text++ = '\0';
        size_t n = 0;
        while (n < sizeof VERBS / sizeof *VERBS && strcmp(VERBS[n].name, verb) != 0)
            n++;
        if (n == sizeof VERBS / sizeof *VERBS)
            cw_die(2, "driver", "no such verb: %s", verb);
        VERBS[n].act(verb, text ? text : "");
    }
    return 0;
}

static void open_image(void)
{
    const char *path = getenv("CW_TEST_IMAGE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0)
        cw_die(2, "driver", "there is no image %s", path);
    void *base = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    const char *fault = cw_image_open(&cw_image, base, (uint64_t)info.st_size);
    if (fault)
        cw_die(2, "driver", "%s", fault);
}

int main(int argc, char **argv)
{
    static char self[PATH_MAX];
    (void)argc;
    open_image();
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 2;
    cw_paths_start(&cw_image, self);
    if (cw_paths_reentered() || strstr(argv[0], "python")) {
        printf("interpreter%s", cw_paths_reentered() ? " again" : "");
        for (; *argv; argv++)
            printf(" [%s]", *argv);
        putchar('\n');
        return 7;
    }
    return act(argv + 1);
}
