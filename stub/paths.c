#define _GNU_SOURCE 1
#include "paths.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

#include "stub.h"

#include "live.h"

static const struct cw_image *image;
static const char *self;

/* At most one for data and one for what is executed, of each candidate directory. */
enum { ROOTS = 16 };
static struct {
    const char *text;
    size_t size;
} roots[ROOTS];
static atomic_uint root_count;

void cw_paths_start(const struct cw_image *opened, const char *self_path)
{
    image = opened;
    self = self_path;
}

const char *cw_self_path(void)
{
    return self ? self : "";
}

const struct cw_image *cw_paths_image(void)
{
    return image;
}

bool cw_paths_reentered(void)
{
    const char *started = (const char *)getauxval(AT_EXECFN);
    return started && strncmp(started, CW_REENTRY, sizeof CW_REENTRY - 1) == 0;
}

void cw_paths_unpacked(const char *root, size_t size)
{
    /* A place that another thread was given at the same moment stays empty until it is written: text last. */
    unsigned place = atomic_fetch_add(&root_count, 1);
    if (place >= ROOTS)
        return;
    roots[place].size = size;
    __atomic_store_n(&roots[place].text, root, __ATOMIC_RELEASE);
}

/* What follows the root that `path` lies below, or NULL. */
static const char *below_unpacked(const char *path)
{
    unsigned count = atomic_load_explicit(&root_count, memory_order_relaxed);
    for (unsigned n = 0; n < count && n < ROOTS; n++) {
        const char *text = __atomic_load_n(&roots[n].text, __ATOMIC_ACQUIRE);
        if (!text || strncmp(path, text, roots[n].size) != 0)
            continue;
        const char *rest = path + roots[n].size;
        if (*rest == '/' || *rest == '\0')
            return rest;
    }
    return NULL;
}

bool cw_paths_any_unpacked(void)
{
    return atomic_load_explicit(&root_count, memory_order_relaxed) > 0;
}

bool cw_paths_below_unpacked(const char *path)
{
    return cw_paths_any_unpacked() && below_unpacked(path);
}

/* What follows the app root, or NULL: `//__app__/x` and `/./__app__/x` count, too. */
static const char *below_root(const char *path)
{
    static const char name[] = "__app__";
    if (*path != '/')
        return NULL;
    while (*path == '/' || (*path == '.' && path[1] == '/'))
        path++;
    if (strncmp(path, name, sizeof name - 1) != 0)
        return NULL;
    path += sizeof name - 1;
    return *path == '/' || *path == '\0' ? path : NULL;
}

static const struct cw_node *find(const struct cw_path *at)
{
    const struct cw_node *node = cw_image_find(image, at->below, at->size);
    if (node && node->kind == CW_FILE && !(node->flags & CW_HAS_DATA))
        return NULL; /* a module whose source was left out */
    return node;
}

/* bin/python, bin/python3, bin/python3.13 */
static bool is_interpreter(const struct cw_path *at)
{
    static const char stem[] = "bin/python";
    if (strncmp(at->below, stem, sizeof stem - 1) != 0)
        return false;
    const char *suffix = at->below + sizeof stem - 1;
    if (*suffix == '\0' || strcmp(suffix, "3") == 0)
        return true;
    struct cw_text version = cw_image_text(image, image->settings->python);
    return version.data && strcmp(suffix, version.data) == 0;
}

static void cut_last(struct cw_path *at)
{
    while (at->size && at->below[--at->size] != '/')
        continue;
    at->below[at->size] = '\0';
}

/* What is at `at->below`; ENOTDIR when a part on the way is a file. */
static void settle(struct cw_path *at, bool directory)
{
    at->node = find(at);
    at->place = at->node ? CW_FOUND : is_interpreter(at) ? CW_SELF : CW_MISSING;
    bool is_directory = at->node && at->node->kind == CW_DIRECTORY;
    if (at->place != CW_MISSING) {
        if (!directory || is_directory)
            return;
        at->place = CW_MISSING;
        at->fault = ENOTDIR;
        return;
    }
    at->fault = ENOENT;
    struct cw_path parent = {.size = at->size};
    memcpy(parent.below, at->below, at->size + 1);
    while (parent.size && !parent.node) {
        cut_last(&parent);
        parent.node = find(&parent);
    }
    if (parent.node && parent.node->kind != CW_DIRECTORY)
        at->fault = ENOTDIR;
}

/* Appends one component; false when the path is settled by it. */
static bool step(struct cw_path *at, const char *name, size_t size)
{
    if (size == 0 || (size == 1 && name[0] == '.'))
        return true;
    if (size == 2 && name[0] == '.' && name[1] == '.') {
        settle(at, true); /* `x/..` needs an x */
        cut_last(at);
        return at->place != CW_MISSING;
    }
    if (at->size + size + 2 > sizeof at->below || size > NAME_MAX) {
        at->place = CW_MISSING;
        at->fault = ENAMETOOLONG;
        return false;
    }
    if (at->size)
        at->below[at->size++] = '/';
    memcpy(at->below + at->size, name, size);
    at->size += size;
    at->below[at->size] = '\0';
    return true;
}

/* Walks `rest`; returns what follows a `..` that leads out of the root, else NULL. */
static const char *walk(struct cw_path *at, const char *rest)
{
    bool directory = false;
    while (*rest) {
        size_t size = strcspn(++rest, "/");
        bool up = size == 2 && rest[0] == '.' && rest[1] == '.';
        if (up && at->size == 0)
            return rest + 2;
        if (!step(at, rest, size))
            return NULL;
        directory = size == 0 || up || (size == 1 && rest[0] == '.');
        rest += size;
    }
    settle(at, directory);
    return NULL;
}

void cw_path_look(struct cw_path *at, const char *path)
{
    for (;;) {
        at->place = CW_ELSEWHERE;
        at->real = path;
        at->size = 0;
        at->below[0] = '\0';
        at->node = NULL;
        at->fault = 0;
        if (!image)
            return;
        const char *rest = below_unpacked(path);
        at->unpacked = rest;
        if (!rest)
            rest = below_root(path);
        if (!rest)
            return;
        const char *outside = walk(at, rest);
        if (!outside)
            return;
        if (at->unpacked) {
            at->place = CW_ELSEWHERE; /* the kernel knows where this leads */
            return;
        }
        path = *outside ? outside : "/";
    }
}
