/* dlopen: the system's loader loads the unpacked file or, where no file can be executed, a copy in memory. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <string.h>

#include "cache.h"
#include "carried.h"
#include "memory_library.h"
#include "wrap.h"

#include "live.h"

/* dlopen finds out who calls it by its return address ($ORIGIN, namespaces), so ours must leave no trace. */
#if defined(__clang__)
#define CW_TAIL __attribute__((musttail)) return
#else
#define CW_TAIL return
#endif

CW_NEXT(dlopen, void *, const char *, int)
CW_NEXT(dlmopen, void *, long, const char *, int)
CW_NEXT(dlerror, char *, void)

/* dlsym, by which the next definitions are looked up, drops the message that dlerror is to give: so dlerror's is
 * looked up before anything can fail. */
__attribute__((constructor)) static void look_up_dlerror(void)
{
    (void)next_dlerror();
}

enum { LONGEST_MESSAGE = 2048 };

/* What the next dlerror() is to say in this thread. */
static _Thread_local struct {
    bool pending;
    char text[LONGEST_MESSAGE];
} message;

static void *fail(const char *path, const char *why, const char *more)
{
    const char *parts[] = {path, ": ", why, more};
    size_t at = 0;
    for (size_t n = 0; n < sizeof parts / sizeof *parts; n++) {
        size_t size = strlen(parts[n]);
        if (size > LONGEST_MESSAGE - 1 - at)
            size = LONGEST_MESSAGE - 1 - at;
        memcpy(message.text + at, parts[n], size);
        at += size;
    }
    message.text[at] = '\0';
    message.pending = true;
    return NULL;
}

char *cw_dlerror(void) CW_EXPORT(dlerror);
char *cw_dlerror(void)
{
    char *theirs = next_dlerror()();
    if (!message.pending)
        return theirs;
    message.pending = false;
    return message.text;
}

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
        return fail(path, "this program's file is damaged", "");
    if (fault == -ENOENT)
        return fail(path, cw_cache_fault(), "; to load it from memory, /proc has to be mounted");
    return fail(path, cw_cache_fault(), "; the kernel gives no executable memory, either");
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
    message.pending = false;
    cw_path_look(&at, path);
    if (at.place == CW_FOUND && space == LM_ID_BASE)
        load_carried(at.node);
    if (cw_leave_to_libc(&at, CW_ONE))
        return load(space, at.real, mode);
    if (at.place == CW_MISSING)
        return fail(path, "cannot open shared object file: ", strerror(at.fault));
    if (at.place == CW_SELF || at.node->kind == CW_DIRECTORY)
        return fail(path, "not a shared library", "");
    int result = cw_unpack(at.node, CW_CLOSURE, real);
    if (result == -EIO)
        return fail(path, "this program's file is damaged", "");
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

void *cw_dlopen(const char *path, int mode) CW_EXPORT(dlopen);
void *cw_dlopen(const char *path, int mode)
{
    if (cw_maybe_ours(path))
        return open_library(LM_ID_BASE, path, mode);
    message.pending = false;
    prepare_name(path);
    CW_TAIL next_dlopen()(path, mode);
}

void *cw_dlmopen(long space, const char *path, int mode) CW_EXPORT(dlmopen);
void *cw_dlmopen(long space, const char *path, int mode)
{
    if (cw_maybe_ours(path))
        return open_library(space, path, mode);
    message.pending = false;
    prepare_name(path);
    CW_TAIL next_dlmopen()(space, path, mode);
}
