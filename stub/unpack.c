#define _GNU_SOURCE 1
#include "unpack.h"

#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>

#include "carried.h"
#include "content.h"
#include "paths.h"
#include "sys.h"
#include "used.h"

#include "live.h"

/* One call's work: which nodes, and where to. */
struct job {
    const struct cw_image *image;
    const struct cw_node *node;
    enum cw_scope scope;
    int app;
    int root;
    bool repair; /* write what is missing; otherwise stop at the first such node */
};

/* A file of ours can't have a name that leads elsewhere. */
static bool is_safe(struct cw_text path)
{
    if (!path.data || path.data[0] == '/' || path.size >= PATH_MAX - NAME_MAX)
        return false;
    for (const char *at = path.data; (at = strstr(at, "..")); at += 2)
        if ((at == path.data || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
            return false;
    return true;
}

/* 0 when the node is (now) there, 1 when it is missing, or a negated errno. */
static int visit(const struct job *job, const struct cw_node *node)
{
    if (node->kind == CW_FILE && !(node->flags & CW_HAS_DATA))
        return 0;
    struct cw_text path = cw_image_text(job->image, node->path);
    if (!is_safe(path))
        return -EBADMSG;
    if (cw_is_present(job->root, path.data, node))
        return 0;
    return job->repair ? cw_place(job->app, job->root, path.data, node) : 1;
}

static int visit_children(const struct job *job)
{
    const struct cw_node *child;
    int result = 0;
    for (uint32_t n = 0; !result && (child = cw_image_child(job->image, job->node, n)); n++)
        result = visit(job, child);
    return result;
}

static int visit_closure(const struct job *job)
{
    const struct cw_node *needed;
    int result = 0;
    for (uint32_t n = 0; !result && (needed = cw_image_dep(job->image, job->node, n)); n++)
        if (!cw_is_carried(needed)) /* needed only where the machine has none */
            result = visit(job, needed);
    return result;
}

/* All nodes are looked at, so that no damage of the tables can make this walk in circles. */
static int visit_tree(const struct job *job)
{
    struct cw_text top = cw_image_text(job->image, job->node->path);
    int result = top.data ? 0 : -EBADMSG;
    for (uint32_t n = 0; !result && n < job->image->node_count; n++) {
        const struct cw_node *node = cw_image_node(job->image, n);
        struct cw_text path = cw_image_text(job->image, node->path);
        bool below = path.data && path.size > top.size && memcmp(path.data, top.data, top.size) == 0 &&
                     (top.size == 0 || path.data[top.size] == '/');
        if (below)
            result = visit(job, node);
    }
    return result;
}

static int visit_all(const struct job *job)
{
    int result = visit(job, job->node);
    if (!result && job->scope == CW_LISTING)
        result = visit_children(job);
    if (!result && job->scope == CW_TREE)
        result = visit_tree(job);
    if (!result && job->scope == CW_CLOSURE)
        result = visit_closure(job);
    return result;
}

/* Set while this thread unpacks: a signal handler that comes in between must not wait for its own thread. */
static _Thread_local bool unpacking;

/* How long to wait for another process before going on without the lock. Nothing can go wrong then: the
 * lock spares work. But its holder may have been stopped, or its descriptor live on in a forked child. */
enum { PATIENCE_MS = 15000, LONGEST_PAUSE_MS = 16 };

/* Waits until the lock is ours (returns its descriptor), the work has been done by somebody else
 * (-EALREADY), or patience is over (-ETIMEDOUT). Other results: there can't be a lock. */
static int lock(const struct job *job)
{
    int fd = sys_openat(job->app, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fd;
    struct job look = *job;
    look.repair = false;
    for (int waited = 0, pause = 1; waited < PATIENCE_MS; waited += pause) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        struct timespec time = {.tv_nsec = pause * 1000000};
        nanosleep(&time, NULL);
        if (pause < LONGEST_PAUSE_MS)
            pause *= 2;
        if (visit_all(&look) == 0) {
            sys_close(fd);
            return -EALREADY;
        }
    }
    sys_close(fd);
    return -ETIMEDOUT;
}

static int work(struct job *job)
{
    int result = visit_all(job);
    if (result <= 0)
        return result;
    bool nested = unpacking;
    int fd = nested ? -ETIMEDOUT : lock(job);
    if (fd == -EALREADY)
        return 0;
    if (fd < 0 && fd != -ETIMEDOUT)
        return fd;
    unpacking = true;
    if (fd >= 0)
        cw_clear_temporaries(job->app);
    job->repair = true;
    result = visit_all(job);
    unpacking = nested;
    if (fd >= 0)
        (void)flock(fd, LOCK_UN); /* a child that was forked meanwhile has the descriptor, too */
    sys_close(fd);
    return result;
}

static int unpack_into(const struct cw_store *store, const struct cw_node *node, enum cw_scope scope)
{
    struct job job = {.image = cw_paths_image(), .node = node, .scope = scope};
    job.app = cw_cache_enter(store);
    if (job.app < 0)
        return job.app;
    job.root = sys_opendirat(job.app, "root");
    int result = job.root < 0 ? job.root : work(&job);
    sys_close(job.root);
    sys_close(job.app);
    return result;
}

static int join(const struct cw_store *store, const char *below, char real[PATH_MAX])
{
    size_t size = strlen(below);
    if (store->size + size + 2 > PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(real, store->root, store->size + 1);
    if (size) {
        real[store->size] = '/';
        memcpy(real + store->size + 1, below, size + 1);
    }
    return 0;
}

/* Faults of which another directory would not be free, either. */
static bool is_general(int fault)
{
    return fault == -EBADMSG || fault == -ENOMEM || fault == -EMFILE || fault == -ENFILE || fault == -EFBIG;
}

static enum cw_use use_of(const struct cw_node *node, enum cw_scope scope)
{
    bool runs = scope == CW_CLOSURE || (node->kind == CW_FILE && node->flags & (CW_NATIVE | CW_EXECUTABLE));
    return runs ? CW_FOR_CODE : CW_FOR_DATA;
}

/* What can be executed should lie where it can be, but may also just be read. */
static struct cw_store *choose(enum cw_use *use, enum cw_scope scope)
{
    struct cw_store *store = cw_cache_store(*use);
    if (!store && *use == CW_FOR_CODE && scope != CW_CLOSURE) {
        *use = CW_FOR_DATA;
        store = cw_cache_store(*use);
    }
    return store;
}

static int unpack_once(struct cw_store *store, const struct cw_node *node, enum cw_scope scope,
                       char real[PATH_MAX])
{
    const struct cw_image *image = cw_paths_image();
    struct cw_text path = cw_image_text(image, node->path);
    if (!path.data)
        return -EBADMSG;
    int result = join(store, path.data, real);
    if (result < 0)
        return result;
    _Atomic unsigned char *done = &store->done[node - image->nodes];
    if (((*done & scope) || scope == CW_ONE) && cw_is_present(AT_FDCWD, real, node))
        return 0;
    result = unpack_into(store, node, scope);
    if (result == 0)
        atomic_fetch_or(done, (unsigned char)scope);
    return result;
}

enum cw_scope cw_whole(const struct cw_node *node)
{
    if (node->kind == CW_DIRECTORY)
        return CW_TREE;
    return node->flags & CW_NATIVE ? CW_CLOSURE : CW_ONE;
}

static int unpack(const struct cw_node *node, enum cw_scope scope, char real[PATH_MAX],
                  void mark(struct cw_store *), bool *runs)
{
    enum cw_use use = use_of(node, scope);
    struct cw_store *store;
    while ((store = choose(&use, scope))) {
        mark(store);
        int result = unpack_once(store, node, scope, real);
        if (runs)
            *runs = store->runs;
        if (result == 0 || is_general(result))
            return result == -EBADMSG ? -EIO : result;
        cw_cache_spent(use, store, result);
    }
    return -cw_cache_errno();
}

int cw_unpack(const struct cw_node *node, enum cw_scope scope, char real[PATH_MAX])
{
    return unpack(node, scope, real, cw_used_hold, NULL);
}

int cw_unpack_for_program(const struct cw_node *node, enum cw_scope scope, char real[PATH_MAX], bool *runs)
{
    return unpack(node, scope, real, cw_used_refresh, runs);
}

int cw_unpack_self(const char *below, char real[PATH_MAX])
{
    struct cw_store *store;
    while ((store = cw_cache_store(CW_FOR_CODE))) {
        cw_used_refresh(store);
        int app = cw_cache_enter(store);
        int root = app < 0 ? app : sys_opendirat(app, "root");
        int result = root < 0 ? root : cw_place_link(app, root, below, cw_self_path());
        sys_close(root);
        sys_close(app);
        if (result == 0)
            return join(store, below, real);
        cw_cache_spent(CW_FOR_CODE, store, result);
    }
    return -cw_cache_errno();
}

int cw_unpack_tree(const char *virtual_path, char *real, size_t size)
{
    struct cw_path at;
    char path[PATH_MAX];
    cw_path_look(&at, virtual_path);
    if (at.place == CW_MISSING)
        return -at.fault;
    if (at.place == CW_ELSEWHERE)
        return -EINVAL;
    int result = at.place == CW_SELF ? cw_unpack_self(at.below, path)
                                     : cw_unpack(at.node, cw_whole(at.node), path);
    if (result < 0)
        return result;
    size_t needed = strlen(path) + 1;
    if (needed > size)
        return -ENAMETOOLONG;
    memcpy(real, path, needed);
    return 0;
}
