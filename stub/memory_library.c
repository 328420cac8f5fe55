#define _GNU_SOURCE 1
#include "memory_library.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "carried.h"
#include "paths.h"
#include "sys.h"
#include "unpack.h"

#include "live.h"

/* Per node: the descriptor that its name was made of, plus 1. */
static atomic_int *_Atomic descriptors;

static atomic_int *slot(const struct cw_node *node)
{
    const struct cw_image *image = cw_paths_image();
    atomic_int *table = atomic_load(&descriptors);
    if (!table) {
        size_t size = sizeof *table * image->node_count;
        table = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (table == MAP_FAILED)
            return NULL;
        atomic_int *other = NULL;
        if (!atomic_compare_exchange_strong(&descriptors, &other, table)) {
            munmap(table, size);
            table = other;
        }
    }
    return &table[node - image->nodes];
}

enum { INDEX_BITS = 32, NAME = 16 + 2 * INDEX_BITS + 16 };

/* The loader knows libraries by name, and numbers of descriptors come again: so the node's index is in the
 * name, too, as steps that lead nowhere ("/." for 1, "/" for 0). */
static void make_name(char name[NAME], const struct cw_node *node, int fd)
{
    uint32_t index = (uint32_t)(node - cw_paths_image()->nodes);
    strcpy(name, "/proc/self/fd");
    size_t at = strlen(name);
    for (int bit = INDEX_BITS - 1; bit >= 0; bit--) {
        name[at++] = '/';
        if (index >> bit & 1)
            name[at++] = '.';
    }
    name[at++] = '/';
    sys_digits(name + at, (unsigned)fd);
}

static void *load(const struct cw_node *node, int mode, void *(*loader)(const char *, int), int *fault)
{
    char name[NAME];
    atomic_int *known = slot(node);
    if (!known) {
        *fault = -ENOMEM;
        return NULL;
    }
    if (atomic_load(known)) {
        make_name(name, node, atomic_load(known) - 1);
        void *again = loader(name, mode | RTLD_NOLOAD);
        if (again)
            return again;
    }
    struct stat info;
    int fd = sys_fstatat(AT_FDCWD, "/proc/self/fd", &info, 0);
    if (fd == 0)
        fd = cw_memory_file(node, true);
    if (fd < 0) {
        *fault = fd;
        return NULL;
    }
    make_name(name, node, fd);
    void *handle = loader(name, mode);
    if (handle)
        atomic_store(known, fd + 1);
    sys_close(fd); /* the mapping stays */
    return handle;
}

void *cw_load_from_memory(const struct cw_node *node, int mode, void *(*loader)(const char *, int), int *fault)
{
    const struct cw_node *needed;
    *fault = 0;
    /* The loader then finds them by their sonames among what is loaded. They stay loaded. */
    for (uint32_t n = 0; (needed = cw_image_dep(cw_paths_image(), node, n)); n++)
        if (!cw_is_carried(needed) && !load(needed, RTLD_LAZY | RTLD_LOCAL, loader, fault))
            return NULL;
    return load(node, mode, loader, fault);
}
