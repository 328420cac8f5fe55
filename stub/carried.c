#define _GNU_SOURCE 1
#include "carried.h"

#include <elf.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "paths.h"
#include "sys.h"

#include "live.h"

#define FOLDER "lib/coachwhip/"

enum answer { UNKNOWN, NEWER, NOT_NEWER };

/* The newest version of symbols that the copies have: who has it has all before it. Each version as it is in a
 * library, between two NULs. */
static const struct {
    const char *name;
    const char *newest;
    size_t size;
} known[] = {
#define KNOWN(name, newest) {name, "\0" newest, sizeof newest + 1}
    KNOWN("libgcc_s.so.1", "GCC_7.0.0"),
    KNOWN("libstdc++.so.6", "GLIBCXX_3.4.28"),
    KNOWN("libz.so.1", "ZLIB_1.2.12"),
};

/* What was found of each. Not among the above: initialised variables are part of snapshots. */
static atomic_int answers[sizeof known / sizeof *known];

/* Where distributions keep them. */
static const char *const FOLDERS[] = {"/lib64", "/usr/lib64", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
                                      "/lib", "/usr/lib"};

bool cw_is_carried(const struct cw_node *node)
{
    struct cw_text path = cw_image_text(cw_paths_image(), node->path);
    return path.data && strncmp(path.data, FOLDER, sizeof FOLDER - 1) == 0;
}

enum { LARGEST = 64 << 20 };

static bool is_for_this_machine(const void *file, size_t size)
{
    const Elf64_Ehdr *header = file;
    return size >= sizeof *header && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_machine == EM_X86_64;
}

/* Whether the library of this machine at `path` has a version; UNKNOWN when there is no such library. */
static enum answer compare(const char *path, const char *version, size_t size)
{
    struct stat info;
    enum answer answer = UNKNOWN;
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0)
        return UNKNOWN;
    if (sys_fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 && info.st_size <= LARGEST) {
        size_t length = (size_t)info.st_size;
        void *file = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
        if (file != MAP_FAILED) {
            if (is_for_this_machine(file, length))
                answer = memmem(file, length, version, size) ? NOT_NEWER : NEWER;
            munmap(file, length);
        }
    }
    sys_close(fd);
    return answer;
}

/* The same for library `index` in a folder, whose name has `size` bytes. */
static enum answer look_in(const char *folder, size_t size, size_t index)
{
    char path[PATH_MAX];
    size_t more = strlen(known[index].name) + 1;
    if (size == 0 || size + 1 + more > sizeof path)
        return UNKNOWN;
    memcpy(path, folder, size);
    path[size] = '/';
    memcpy(path + size + 1, known[index].name, more);
    return compare(path, known[index].newest, known[index].size);
}

/* In the order of the loader, except for what only its own cache knows: there the copy is taken. */
static enum answer look(size_t index)
{
    enum answer answer = UNKNOWN;
    const char *listed = getauxval(AT_SECURE) ? NULL : getenv("LD_LIBRARY_PATH");
    while (listed && *listed && answer == UNKNOWN) {
        size_t size = strcspn(listed, ":;");
        answer = look_in(listed, size, index);
        listed += size + (listed[size] != '\0');
    }
    for (size_t n = 0; answer == UNKNOWN && n < sizeof FOLDERS / sizeof *FOLDERS; n++)
        answer = look_in(FOLDERS[n], strlen(FOLDERS[n]), index);
    return answer == UNKNOWN ? NEWER : answer;
}

bool cw_carried_is_newer(const struct cw_node *node)
{
    struct cw_text name = cw_image_name(cw_paths_image(), node);
    for (size_t n = 0; name.data && n < sizeof known / sizeof *known; n++) {
        if (strcmp(name.data, known[n].name) != 0)
            continue;
        int answer = atomic_load(&answers[n]);
        if (answer == UNKNOWN)
            atomic_store(&answers[n], answer = look(n));
        return answer == NEWER;
    }
    return true;
}
