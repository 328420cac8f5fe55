/* dlopen: the system's loader loads the unpacked file or, where no file can be executed, a copy in memory. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <string.h>

#include "cache.h"
#include "carried.h"
#include "dl_error.h"
#include "memory_library.h"
#include "natives.h"
#include "wrap.h"

/* dlopen finds out who calls it by its return address ($ORIGIN, namespaces), so ours must leave no trace. */
#if defined(__clang__)
#define CW_TAIL __attribute__((musttail)) return
#else
#define CW_TAIL return
#endif

CW_NEXT(dlopen, void *, const char *, int)
CW_NEXT(dlmopen, void *, long, const char *, int)
CW_NEXT(dlerror, char *, void)

static void *load(long space, const char *real, int mode)
{
    return space == LM_ID_BASE ? next_dlopen()(real, mode) : next_dlmopen()(space, real, mode);
}

static void *load_from_memory(const char *path, const struct cw_node *node, int mode)
{
    int fault = 0;
    void *handle = cw_load_from_memory(node, mode, next_dlopen(), &fault);
    if (handle || fault == 0)
        return handle; /* the loader's own message says what is wrong */
    if (fault == -EIO)
        return cw_dl_fail(path, ": ", "this program's file is damaged", "");
    if (fault == -ENOENT)
        return cw_dl_fail(path, ": ", cw_cache_fault(), "; to load it from memory, /proc has to be mounted");
    return cw_dl_fail(path, ": ", cw_cache_fault(), "; the kernel gives no executable memory, either");
}

static void load_copy(const struct cw_node *node)
{
    char real[PATH_MAX];
    int fault;
    if (cw_unpack(node, CW_CLOSURE, real) == 0)
        (void)next_dlopen()(real, RTLD_LAZY | RTLD_LOCAL);
    else
        (void)cw_load_from_memory(node, RTLD_LAZY | RTLD_LOCAL, next_dlopen(), &fault);
}

/* Loads the carried libraries that `node` needs: the loader finds them by their sonames among what is loaded. They
 * stay loaded. Where that fails, the loader looks for the machine's own, and says what is missing. */
static void load_carried(const struct cw_node *node)
{
    const struct cw_image *image = cw_paths_image();
    const struct cw_node *needed;
    for (uint32_t n = 0; (needed = cw_image_dep(image, node, n)); n++) {
        struct cw_text name = cw_image_name(image, needed);
        if (!name.data || !cw_is_carried(needed))
            continue;
        int mode = RTLD_LAZY | RTLD_LOCAL | (cw_carried_is_newer(needed) ? RTLD_NOLOAD : 0);
        if (!next_dlopen()(name.data, mode))
            load_copy(needed);
        (void)next_dlerror()();
    }
}

static __attribute__((noinline)) void *open_library(long space, const char *path, int mode)
{
    struct cw_path at;
    char real[PATH_MAX];
    cw_dl_forget();
    cw_path_look(&at, path);
    if (at.place == CW_FOUND && space == LM_ID_BASE) {
        bool elsewhere;
        void *handle = cw_native_open(at.node, mode, &elsewhere);
        if (!elsewhere)
            return handle;
        load_carried(at.node);
    }
    if (cw_leave_to_libc(&at, CW_ONE))
        return load(space, at.real, mode);
    if (at.place == CW_MISSING)
        return cw_dl_fail(path, ": ", "cannot open shared object file: ", strerror(at.fault));
    if (at.place == CW_SELF || at.node->kind == CW_DIRECTORY)
        return cw_dl_fail(path, ": ", "not a shared library", "");
    int result = cw_unpack(at.node, CW_CLOSURE, real);
    if (result == -EIO)
        return cw_dl_fail(path, ": ", "this program's file is damaged", "");
    if (result < 0)
        return load_from_memory(path, at.node, mode);
    return load(space, real, mode);
}

/* A library that was unpacked may ask for a neighbour by its bare name, to be found through $ORIGIN: the
 * neighbour has to be there. */
static __attribute__((noinline)) void unpack_by_name(const char *name)
{
    const struct cw_image *image = cw_paths_image();
    size_t size = strlen(name);
    for (uint32_t n = 0; n < image->node_count; n++) {
        const struct cw_node *node = &image->nodes[n];
        if (!(node->flags & CW_NATIVE))
            continue;
        struct cw_text own = cw_image_name(image, node);
        char real[PATH_MAX];
        if (!own.data || own.size != size || memcmp(own.data, name, size) != 0 || cw_is_carried(node))
            continue;
        load_carried(node);
        (void)cw_unpack(node, CW_CLOSURE, real);
    }
}

static inline void prepare_name(const char *path)
{
    if (path && cw_paths_any_unpacked() && !strchr(path, '/') && strstr(path, ".so"))
        unpack_by_name(path);
}

static inline const struct cw_node *named(const char *path, const void *caller)
{
    return path && cw_natives.loaded_count && !strchr(path, '/') ? cw_native_named(path, caller) : NULL;
}

/* A library that is called by a bare name although it is ours: by those who have its directory in DT_RUNPATH. */
static __attribute__((noinline)) void *open_named(const struct cw_node *node, const char *name, int mode)
{
    bool elsewhere;
    void *handle = cw_native_open(node, mode, &elsewhere);
    char real[PATH_MAX];
    if (!elsewhere)
        return handle;
    int result = cw_unpack(node, CW_CLOSURE, real);
    return result < 0 ? load_from_memory(name, node, mode) : load(LM_ID_BASE, real, mode);
}

void *cw_dlopen(const char *path, int mode) CW_EXPORT(dlopen);
void *cw_dlopen(const char *path, int mode)
{
    if (cw_maybe_ours(path))
        return open_library(LM_ID_BASE, path, mode);
    cw_dl_forget();
    const struct cw_node *node = named(path, __builtin_return_address(0));
    if (node)
        return open_named(node, path, mode);
    prepare_name(path);
    CW_TAIL next_dlopen()(path, mode);
}

void *cw_dlmopen(long space, const char *path, int mode) CW_EXPORT(dlmopen);
void *cw_dlmopen(long space, const char *path, int mode)
{
    if (cw_maybe_ours(path))
        return open_library(space, path, mode);
    cw_dl_forget();
    prepare_name(path);
    CW_TAIL next_dlmopen()(space, path, mode);
}
