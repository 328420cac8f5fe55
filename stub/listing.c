#define _GNU_SOURCE 1
#include "listing.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "content.h"
#include "sys.h"
#include "wrap.h"

/* More directories than are listed at once by anything but a test. What does not get a place is unpacked. */
enum { STREAMS = 32 };

/* Before a directory's children come itself and its parent, and in bin/ the names of the interpreter. */
enum { DOTS = 2, INTERPRETERS = 3 };

struct listing {
    atomic_bool used;
    const struct cw_node *node;
    uint32_t next;
    struct dirent64 entry;
};
static struct listing listings[STREAMS];
_Static_assert(sizeof(struct dirent) == sizeof(struct dirent64), "one entry serves both functions");

CW_NEXT(opendir, DIR *, const char *)
CW_NEXT(readdir64, struct dirent64 *, DIR *)
CW_NEXT(rewinddir, void, DIR *)
CW_NEXT(closedir, int, DIR *)

/* The listing behind a stream; NULL for one of libc's. */
static struct listing *listing_of(DIR *stream)
{
    uintptr_t at = (uintptr_t)stream, first = (uintptr_t)listings;
    return at >= first && at < first + sizeof listings ? (struct listing *)stream : NULL;
}

static struct listing *take_listing(const struct cw_node *node)
{
    for (int n = 0; n < STREAMS; n++) {
        if (atomic_exchange(&listings[n].used, true))
            continue;
        listings[n].node = node;
        listings[n].next = 0;
        return &listings[n];
    }
    return NULL;
}

static __attribute__((noinline)) DIR *opendir_slowly(const char *path)
{
    struct cw_path at;
    cw_path_look(&at, path);
    if (at.place != CW_FOUND || at.unpacked || at.node->kind != CW_DIRECTORY)
        return cw_open_unpacked(path);
    struct listing *listing = take_listing(at.node);
    return listing ? (DIR *)listing : cw_open_unpacked(path);
}

DIR *__wrap_opendir(const char *path)
{
    return cw_maybe_ours(path) ? opendir_slowly(path) : next_opendir()(path);
}

static struct dirent64 *fill(struct listing *listing, ino_t inode, unsigned char type, const char *name, size_t size)
{
    struct dirent64 *entry = &listing->entry;
    if (size >= sizeof entry->d_name)
        size = sizeof entry->d_name - 1; /* no name in an image is longer, unless it is damaged */
    memcpy(entry->d_name, name, size);
    entry->d_name[size] = '\0';
    entry->d_ino = inode;
    entry->d_off = listing->next;
    entry->d_reclen = sizeof *entry;
    entry->d_type = type;
    return entry;
}

static struct dirent64 *dots(struct listing *listing, uint32_t index)
{
    const struct cw_node *parent = cw_image_node(cw_paths_image(), listing->node->parent);
    const struct cw_node *node = index && parent ? parent : listing->node;
    return fill(listing, cw_node_inode(node), DT_DIR, "..", index + 1);
}

static struct dirent64 *interpreter(struct listing *listing, uint32_t index)
{
    const struct cw_image *image = cw_paths_image();
    struct cw_text version = cw_image_text(image, image->settings->python);
    struct stat self = {.st_ino = 1};
    char name[32] = "python3";
    if (index == 2 && version.data && version.size < sizeof name - sizeof "python")
        memcpy(name + sizeof "python" - 1, version.data, version.size + 1);
    (void)sys_fstatat(AT_FDCWD, "/proc/self/exe", &self, 0);
    return fill(listing, self.st_ino, DT_REG, name, index ? strlen(name) : sizeof "python" - 1);
}

/* The next child that there is: a module whose source was left out is none. */
static struct dirent64 *child(struct listing *listing, uint32_t before)
{
    const struct cw_image *image = cw_paths_image();
    const struct cw_node *node;
    while ((node = cw_image_child(image, listing->node, listing->next - before))) {
        listing->next++;
        struct cw_text name = cw_image_name(image, node);
        bool directory = node->kind == CW_DIRECTORY;
        if (name.data && (directory || node->flags & CW_HAS_DATA))
            return fill(listing, cw_node_inode(node), directory ? DT_DIR : DT_REG, name.data, name.size);
    }
    return NULL;
}

static struct dirent64 *next_entry(struct listing *listing)
{
    struct cw_text path = cw_image_text(cw_paths_image(), listing->node->path);
    bool is_bin = path.data && strcmp(path.data, "bin") == 0;
    uint32_t before = DOTS + (is_bin ? INTERPRETERS : 0);
    if (listing->next >= before)
        return child(listing, before);
    uint32_t index = listing->next++;
    return index < DOTS ? dots(listing, index) : interpreter(listing, index - DOTS);
}

struct dirent64 *__wrap_readdir64(DIR *stream)
{
    struct listing *listing = listing_of(stream);
    return listing ? next_entry(listing) : next_readdir64()(stream);
}

struct dirent *__wrap_readdir(DIR *stream)
{
    return (struct dirent *)__wrap_readdir64(stream);
}

void __wrap_rewinddir(DIR *stream)
{
    struct listing *listing = listing_of(stream);
    if (listing)
        listing->next = 0;
    else
        next_rewinddir()(stream);
}

int __wrap_closedir(DIR *stream)
{
    struct listing *listing = listing_of(stream);
    if (!listing)
        return next_closedir()(stream);
    atomic_store(&listing->used, false);
    return 0;
}
