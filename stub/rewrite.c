#define _GNU_SOURCE 1
#include "rewrite.h"

#include <stdint.h>
#include <string.h>

#include "paths.h"
#include "stub.h"
#include "sys.h"
#include "unpack.h"

#include "live.h"

static const char ROOT[] = CW_ROOT;
enum { ROOT_SIZE = sizeof ROOT - 1 };

void *cw_arena_take(struct cw_arena *arena, size_t size)
{
    size_t skip = -(uintptr_t)arena->at % sizeof(void *);
    if (size > arena->left || skip > arena->left - size) {
        arena->full = true;
        return NULL;
    }
    void *taken = arena->at + skip;
    arena->at += skip + size;
    arena->left -= skip + size;
    return taken;
}

/* Characters of plain names. Others may belong to a name, too, but are tried as its end. */
static bool is_plain(char c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 128;
    return letter || (c >= '0' && c <= '9') || (c && strchr("._-+@%~", c));
}

/* Whether a path can start at `at`: not in the middle of one, but after `=`, a quote, `-I` and the like. */
static bool can_start(const char *text, const char *at)
{
    if (at == text)
        return true;
    if (at[-1] == '/')
        return false;
    if (!is_plain(at[-1]))
        return true;
    bool letter = (at[-1] | 32) >= 'a' && (at[-1] | 32) <= 'z';
    return letter && at - text >= 2 && at[-2] == '-' && (at - text == 2 || !is_plain(at[-3]));
}

/* The next path of the product in `text` from `from` on, or NULL. */
static const char *next_path(const char *text, const char *from)
{
    while ((from = strstr(from, ROOT))) {
        char after = from[ROOT_SIZE];
        if ((after == '/' || !is_plain(after)) && can_start(text, from))
            return from;
        from += ROOT_SIZE;
    }
    return NULL;
}

bool cw_names_ours(char *const *texts)
{
    for (; texts && *texts; texts++)
        if (next_path(*texts, *texts))
            return true;
    return false;
}

/* A path in a text, as far as it exists. */
struct found {
    struct cw_path path;
    char name[PATH_MAX]; /* CW_ROOT/... without . and .. */
    size_t size;
    const char *end; /* in the text */
    bool outside;    /* it leads out of the root, and so is none of ours */
};

static bool look(struct found *found, size_t size)
{
    struct cw_path at;
    found->name[size] = '\0';
    cw_path_look(&at, found->name);
    if (at.place != CW_FOUND && at.place != CW_SELF)
        return false;
    found->path = at;
    found->size = size;
    return true;
}

/* Goes on to the component at `name`, in its longest form that exists; false when there is none. */
static bool descend(struct found *found, const char *name, size_t size)
{
    if (found->size + size + 2 > sizeof found->name)
        return false;
    size_t before = found->size;
    found->name[before] = '/';
    memcpy(found->name + before + 1, name, size);
    for (; size; size--) {
        bool boundary = name[size] == '/' || !is_plain(name[size]);
        if (boundary && look(found, before + 1 + size)) {
            found->end = name + size;
            return true;
        }
    }
    found->name[before] = '\0';
    return false;
}

/* One step along `found->end`, which stands at a slash; false when the path ends there. */
static bool step(struct found *found)
{
    const char *name = found->end + 1;
    size_t size = strcspn(name, "/");
    bool dot = name[0] == '.' && !is_plain(name[1]);
    bool up = name[0] == '.' && name[1] == '.' && !is_plain(name[2]);
    if (dot || name[0] == '/') {
        found->end = name + dot;
        return true;
    }
    if (!up)
        return descend(found, name, size);
    size_t parent = found->size;
    while (parent > ROOT_SIZE && found->name[parent - 1] != '/')
        parent--;
    found->outside = parent <= ROOT_SIZE || !look(found, parent - 1);
    found->end = name + 2;
    return !found->outside;
}

static bool find(struct found *found, const char *at)
{
    memcpy(found->name, ROOT, ROOT_SIZE);
    found->end = at + ROOT_SIZE;
    found->outside = false;
    if (!look(found, ROOT_SIZE))
        return false;
    while (*found->end == '/' && step(found))
        continue;
    return !found->outside;
}

/* Whether the text goes on with the name of something that does not exist. */
static bool goes_on(const struct found *found)
{
    return *found->end == '/' && is_plain(found->end[1]);
}

static int make_real(const struct found *found, char real[PATH_MAX])
{
    if (found->path.place == CW_SELF)
        return cw_unpack_self(found->path.below, real);
    const struct cw_node *node = found->path.node;
    /* Of what does not exist, only the way there is made. */
    enum cw_scope scope = goes_on(found) ? CW_ONE : cw_whole(node);
    return cw_unpack_for_program(node, scope, real, NULL);
}

static void append(struct cw_arena *arena, const char *text, size_t size)
{
    if (size > arena->left) {
        arena->full = true;
        return;
    }
    memcpy(arena->at, text, size);
    arena->at += size;
    arena->left -= size;
}

/* What the path at `at` becomes; kept as it is when it can't be made real. Returns its end in the text. */
static __attribute__((noinline)) const char *append_real(struct cw_arena *arena, const char *at)
{
    struct found found;
    char real[PATH_MAX];
    const char *end = at + ROOT_SIZE;
    if (find(&found, at) && make_real(&found, real) == 0) {
        append(arena, real, strlen(real));
        return found.end;
    }
    append(arena, at, ROOT_SIZE);
    return end;
}

const char *cw_rewrite(struct cw_arena *arena, const char *text)
{
    const char *at = next_path(text, text);
    if (!at)
        return text;
    const char *result = arena->at, *from = text;
    for (; at; at = next_path(text, from)) {
        append(arena, from, (size_t)(at - from));
        from = append_real(arena, at);
    }
    append(arena, from, strlen(from) + 1);
    return arena->full ? NULL : result;
}

char *const *cw_rewrite_all(struct cw_arena *arena, char *const *texts)
{
    size_t count = 0;
    if (!cw_names_ours(texts))
        return texts;
    while (texts[count])
        count++;
    const char **result = cw_arena_take(arena, (count + 1) * sizeof *result);
    for (size_t n = 0; result && n < count; n++)
        result[n] = cw_rewrite(arena, texts[n]);
    if (!result || arena->full)
        return NULL;
    result[count] = NULL;
    return (char *const *)(uintptr_t)result;
}
