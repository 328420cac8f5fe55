#define _GNU_SOURCE 1
#include "cache.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>

#include "candidates.h"
#include "paths.h"
#include "prune.h"
#include "sys.h"
#include "used.h"

#include "live.h"

/* A store is made once per candidate and published by one atomic exchange, so that neither threads nor fork,
 * vfork or signal handlers can find it half made; it stays for the life of the process. */
struct place {
    struct cw_candidate candidate;
    struct cw_store store;
    _Atomic unsigned char done[];
};

static struct place *_Atomic places[CW_CANDIDATES];
static atomic_uint current[2]; /* candidate in use, by cw_use */

#ifndef ST_NOEXEC
#define ST_NOEXEC 8
#endif

/* "NAME-0123456789abcdef": the same for every copy of one product, another for every other. */
static void app_name(char name[96])
{
    const struct cw_image *image = cw_paths_image();
    struct cw_text title = cw_image_text(image, image->settings->name);
    size_t size = 0;
    for (; title.data && size < title.size && size < 64; size++) {
        char c = title.data[size];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        name[size] = plain || (size && (c == '.' || c == '-')) ? c : '_';
    }
    name[size++] = '-';
    for (int n = 0; n < 8; n++) {
        name[size++] = "0123456789abcdef"[image->header->image_id[n] >> 4];
        name[size++] = "0123456789abcdef"[image->header->image_id[n] & 15];
    }
    name[size] = '\0';
}

int cw_cache_open(const struct cw_candidate *candidate)
{
    char name[96];
    bool made;
    app_name(name);
    int parent = cw_candidate_open(candidate);
    if (parent < 0)
        return parent;
    int app = cw_open_private(parent, name, &made);
    if (app >= 0 && made) {
        cw_used_make(app);
        cw_prune(parent, name);
    }
    sys_close(parent);
    return app;
}

/* A mount option forbids it, or a security module: both show when a page is mapped. */
static bool can_run(int app)
{
    struct statfs info;
    if (fstatfs(app, &info) == 0 && (info.f_flags & ST_NOEXEC))
        return false;
    int fd = sys_openat(app, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return true; /* read-only, but perhaps filled before */
    void *page = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    if (page != MAP_FAILED)
        munmap(page, 1);
    sys_close(fd);
    return page != MAP_FAILED;
}

/* The root as the kernel spells it, links resolved: what /proc shows and dladdr may tell. */
static int set_root(struct cw_store *store, int root)
{
    char link[SYS_LINK];
    sys_fd_link(link, root);
    long size = sys_readlinkat(AT_FDCWD, link, store->root, sizeof store->root);
    if (size > 0 && size < PATH_MAX && store->root[0] == '/') {
        store->root[size] = '\0';
        store->size = (size_t)size;
        return 0;
    }
    return -1;
}

int cw_cache_path(const struct cw_candidate *candidate, const char *last, char to[PATH_MAX])
{
    char name[96];
    app_name(name);
    const char *parts[] = {candidate->parent, candidate->owned, name, last};
    size_t at = 0;
    for (size_t n = 0; n < sizeof parts / sizeof *parts; n++) {
        size_t size = strlen(parts[n]);
        if (size == 0)
            continue;
        if (at + size + 2 > PATH_MAX)
            return -ENAMETOOLONG;
        if (at)
            to[at++] = '/';
        memcpy(to + at, parts[n], size);
        at += size;
    }
    to[at] = '\0';
    return (int)at;
}

/* Without /proc: as it was asked for. */
static int join_root(struct place *place)
{
    int size = cw_cache_path(&place->candidate, "root", place->store.root);
    if (size < 0)
        return size;
    place->store.size = (size_t)size;
    return 0;
}

static int examine(struct place *place)
{
    bool made;
    int app = cw_cache_open(&place->candidate);
    if (app < 0)
        return app;
    int root = cw_open_private(app, "root", &made);
    int fault = root < 0 ? root : 0;
    if (root >= 0 && set_root(&place->store, root) < 0)
        fault = join_root(place);
    place->store.runs = can_run(app);
    sys_close(root);
    sys_close(app);
    return fault;
}

static struct place *examined(unsigned index)
{
    struct place *place = atomic_load(&places[index]);
    if (place)
        return place;
    size_t size = sizeof *place + cw_paths_image()->node_count;
    place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED)
        return NULL;
    place->store.done = place->done;
    place->store.fault = cw_candidate(index, &place->candidate) ? -examine(place) : ENOENT;
    struct place *other = NULL;
    if (!atomic_compare_exchange_strong(&places[index], &other, place)) {
        munmap(place, size);
        return other;
    }
    if (!place->store.fault)
        cw_paths_unpacked(place->store.root, place->store.size);
    return place;
}

struct cw_store *cw_cache_store(enum cw_use use)
{
    if (!cw_paths_image())
        return NULL;
    unsigned index = atomic_load(&current[use]);
    while (index < CW_CANDIDATES) {
        struct place *place = examined(index);
        if (place && !place->store.fault && (use == CW_FOR_DATA || place->store.runs))
            return &place->store;
        atomic_compare_exchange_strong(&current[use], &index, index + 1);
        index = atomic_load(&current[use]);
    }
    return NULL;
}

void cw_cache_spent(enum cw_use use, const struct cw_store *store, int fault)
{
    unsigned index = atomic_load(&current[use]);
    if (index >= CW_CANDIDATES)
        return;
    struct place *place = atomic_load(&places[index]);
    if (!place || &place->store != store)
        return; /* another thread was here before */
    place->store.fault = -fault;
    atomic_compare_exchange_strong(&current[use], &index, index + 1);
}

int cw_cache_enter(const struct cw_store *store)
{
    const char *start = (const char *)store - offsetof(struct place, store);
    const struct place *place = (const struct place *)(const void *)start;
    bool made;
    int app = cw_cache_open(&place->candidate);
    if (app < 0)
        return app;
    int root = cw_open_private(app, "root", &made);
    if (root < 0) {
        sys_close(app);
        return root;
    }
    sys_close(root);
    return app;
}

int cw_cache_errno(void)
{
    int fault = 0;
    for (unsigned n = 0; n < CW_CANDIDATES; n++) {
        const struct place *place = atomic_load(&places[n]);
        if (place && place->store.fault && place->store.fault != ENOENT)
            fault = place->store.fault;
    }
    return fault ? fault : EROFS;
}

static const char *reason(const struct cw_store *store)
{
    switch (store->fault) {
    case 0:
        return store->runs ? "not tried" : "no file in it may be executed";
    case EPERM:
        return "somebody else could change files in it";
    case EACCES:
        return "no permission";
    case EROFS:
        return "read-only";
    case ENOSPC:
        return "full";
    case EDQUOT:
        return "the quota is used up";
    default:
        return "it can't be used";
    }
}

static size_t append(char *to, size_t at, size_t room, const char *text)
{
    size_t size = strlen(text);
    if (at + size >= room)
        size = room - 1 - at;
    memcpy(to + at, text, size);
    to[at + size] = '\0';
    return at + size;
}

const char *cw_cache_fault(void)
{
    static char sentence[1024];
    char draft[sizeof sentence];
    size_t at = append(draft, 0, sizeof draft, "no directory can hold this program's unpacked files");
    const char *between = " (";
    for (unsigned n = 0; n < CW_CANDIDATES; n++) {
        const struct place *place = atomic_load(&places[n]);
        if (!place || !place->candidate.parent[0] || (!place->store.fault && place->store.runs))
            continue;
        at = append(draft, at, sizeof draft, between);
        at = append(draft, at, sizeof draft, place->candidate.parent);
        at = append(draft, at, sizeof draft, ": ");
        at = append(draft, at, sizeof draft, reason(&place->store));
        between = "; ";
    }
    at = append(draft, at, sizeof draft, *between == ';' ? ")" : "");
    append(draft, at, sizeof draft, "; set COACHWHIP_CACHE_DIR to one that can");
    memcpy(sentence, draft, sizeof sentence);
    return sentence;
}
