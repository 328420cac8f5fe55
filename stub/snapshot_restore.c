#define _GNU_SOURCE 1
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "again.h"
#include "fixed.h"
#include "heap.h"
#include "heap_pages.h"
#include "natives.h"
#include "openssl.h"
#include "paths.h"
#include "say.h"
#include "snapshot.h"
#include "stub.h"
#include "xxh64.h"

#include "live.h"

/* A snapshot as it lies in its file, mapped read-only, and a copy of what comes before the ranges' bytes: what is used
 * is what was checked, whoever writes to the file meanwhile. */
struct view {
    const char *base;
    const struct cw_snapshot_head *head;
    const struct cw_snapshot_range *ranges;
    const char *locals, *gates;
    _Alignas(struct cw_snapshot_head) char start[CW_SNAPSHOT_ROOM];
};

static bool is_within(const struct cw_snapshot_range *range, const char *from, const char *to)
{
    uintptr_t at = range->address;
    return at >= (uintptr_t)from && at <= (uintptr_t)to && range->size <= (uintptr_t)to - at;
}

static bool is_good_range(const struct view *view, const struct cw_snapshot_range *range)
{
    const struct cw_snapshot_head *head = view->head;
    struct cw_extent data = cw_static_extent();
    uint64_t end = head->size - head->plan_size; /* of what belongs to ranges */
    if ((range->address | range->size | range->offset) % CW_PAGE)
        return false;
    if (range->offset > end || range->size > end - range->offset)
        return false;
    return is_within(range, CW_HEAP_BASE, (const char *)head->heap_end)
        || is_within(range, CW_ARENA_BASE, (const char *)head->arenas_end)
        || is_within(range, (char *)CW_FIRST_LIBRARY, (char *)cw_libraries_end(&cw_image))
        || ((char *)range->address == data.from && range->size == (size_t)(data.to - data.from));
}

/* Whether the sizes in a head agree with each other, and with that of the file. */
static bool has_good_sizes(const struct cw_snapshot_head *head, uint64_t size, enum cw_origin origin)
{
    if (head->size > size || head->size < CW_SNAPSHOT_ROOM || head->plan_size > head->size - CW_SNAPSHOT_ROOM)
        return false;
    /* A file of its own is as long as it says, or it was not written to its end. */
    if (origin == CW_OF_MACHINE && head->size != size)
        return false;
    if (head->ranges == 0 || head->ranges > CW_SNAPSHOT_ROOM / sizeof(struct cw_snapshot_range))
        return false;
    uint64_t used = sizeof *head + head->ranges * sizeof(struct cw_snapshot_range) + head->locals_size;
    return used <= CW_SNAPSHOT_ROOM && head->gates_size <= CW_SNAPSHOT_ROOM - used;
}

static bool has_good_ends(const struct cw_snapshot_head *head)
{
    uintptr_t heap = (uintptr_t)CW_HEAP_BASE, arenas = (uintptr_t)CW_ARENA_BASE;
    return head->heap_end >= heap && head->heap_end <= arenas && head->heap_end % CW_PAGE == 0
        && head->arenas_end >= arenas && head->arenas_end % CW_PAGE == 0;
}

/* Each lies behind the one before it in the file, so that none is taken from where another has been. */
static bool has_good_ranges(const struct view *view)
{
    uint64_t end = CW_SNAPSHOT_ROOM;
    for (uint32_t n = 0; n < view->head->ranges; n++) {
        const struct cw_snapshot_range *range = &view->ranges[n];
        if (range->offset < end || !is_good_range(view, range))
            return false;
        end = range->offset + range->size;
    }
    return true;
}

static bool is_of_this_program(const struct cw_snapshot_head *head, enum cw_origin origin)
{
    static const uint8_t none[sizeof head->image_id];
    const struct cw_header *header = cw_image.header;
    const uint8_t *image_id = origin == CW_OF_MACHINE ? header->image_id : none;
    struct cw_extent locals = cw_local_extent();
    return memcmp(head->stub_id, header->stub_id, sizeof head->stub_id) == 0
        && memcmp(head->image_id, image_id, sizeof head->image_id) == 0
        && head->tables_checksum == header->tables_checksum && head->locals_size == (size_t)(locals.to - locals.from);
}

static const char *check(struct view *view, struct cw_bytes snapshot, enum cw_origin origin)
{
    if (snapshot.size < CW_SNAPSHOT_ROOM || (uintptr_t)snapshot.data % CW_PAGE)
        return origin == CW_OF_MACHINE ? "the snapshot is damaged" : "there is no snapshot";
    memcpy(view->start, snapshot.data, CW_SNAPSHOT_ROOM);
    struct cw_snapshot_head *head = (void *)view->start;
    view->base = (const char *)snapshot.data;
    view->head = head;
    view->ranges = (const void *)(head + 1);
    uint64_t checksum = head->checksum;
    head->checksum = 0;
    if (memcmp(head->magic, CW_SNAPSHOT_MAGIC, sizeof head->magic) != 0
        || cw_xxh64(view->start, CW_SNAPSHOT_ROOM) != checksum || !has_good_sizes(head, snapshot.size, origin))
        return "the snapshot is damaged";
    view->locals = (const char *)(view->ranges + head->ranges);
    view->gates = view->locals + head->locals_size;
    if (!is_of_this_program(head, origin))
        return "the snapshot belongs to another program";
    return has_good_ends(head) && has_good_ranges(view) ? NULL : "the snapshot is damaged";
}

const char *cw_snapshot_check(struct cw_bytes snapshot, enum cw_origin origin)
{
    struct view view;
    return check(&view, snapshot, origin);
}

struct cw_bytes cw_snapshot_plan(struct cw_bytes snapshot)
{
    struct view view;
    if (check(&view, snapshot, CW_OF_PRODUCT))
        return (struct cw_bytes){NULL, 0};
    uint64_t size = view.head->plan_size;
    return (struct cw_bytes){snapshot.data + view.head->size - size, size};
}

/* Whether a variable is set that was not when the modules in the snapshot looked at it. */
static bool has_gated_variable(const struct view *view)
{
    const char *end = view->gates + view->head->gates_size;
    for (const char *name = view->gates; name < end && memchr(name, '\0', (size_t)(end - name));
         name += strlen(name) + 1)
        if (getenv(name))
            return true;
    return false;
}

static int reserve(char *from, uint64_t end)
{
    size_t size = end - (uintptr_t)from;
    return size ? cw_map_fixed(from, size, PROT_READ | PROT_WRITE, 0) : 0;
}

/* Takes the place of moving pages where the kernel does not do that: a filter of system calls, or a limit on what may
 * be written to. What is mapped there may be gone after a try in vain. */
static bool copy_pages(const char *source, char *to, size_t size)
{
    if (madvise(to, size, MADV_NORMAL) < 0 && errno == ENOMEM
        && mmap(to, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != to)
        return false;
    memcpy(to, source, size);
    return true;
}

/* Moves pages of the file to where they belong; a write to one makes a copy of it. */
static bool move(const struct view *view, const struct cw_snapshot_range *range, size_t skip, size_t size)
{
    char *source = (char *)(uintptr_t)view->base + range->offset + skip;
    char *to = (char *)range->address + skip;
    if (!size)
        return true;
    if (mprotect(source, size, PROT_READ | PROT_WRITE) == 0
        && mremap(source, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to)
        return true;
    return copy_pages(source, to, size);
}

static void copy(const struct view *view, const struct cw_snapshot_range *range, char *from, const char *to)
{
    memcpy(from, view->base + range->offset + (from - (char *)range->address), (size_t)(to - from));
}

/* The executable's data: its pages but those in which there is something of this process. */
static bool restore_data(const struct view *view, const struct cw_snapshot_range *range)
{
    struct cw_extent live = cw_live_extent();
    char *from = (char *)range->address, *to = from + range->size;
    char *first = (char *)((uintptr_t)live.from & ~(uintptr_t)(CW_PAGE - 1));
    char *last = (char *)(((uintptr_t)live.to + CW_PAGE - 1) & ~(uintptr_t)(CW_PAGE - 1));
    if (!move(view, range, 0, (size_t)(first - from))
        || !move(view, range, (size_t)(last - from), (size_t)(to - last)))
        return false;
    copy(view, range, first, live.from);
    copy(view, range, live.to, last);
    return true;
}

static void restore_locals(const struct view *view)
{
    struct cw_extent locals = cw_local_extent();
    memcpy(locals.from, view->locals, view->head->locals_size);
}

static int restore_regions(const struct view *view)
{
    int result = reserve(CW_HEAP_BASE, view->head->heap_end);
    if (result < 0)
        return result;
    result = reserve(CW_ARENA_BASE, view->head->arenas_end);
    if (result < 0)
        munmap(CW_HEAP_BASE, view->head->heap_end - (uintptr_t)CW_HEAP_BASE);
    return result;
}

static bool is_of_native(const struct cw_snapshot_range *range)
{
    return range->address >= CW_REGION && range->address < CW_REGION_END;
}

static bool has_natives(const struct view *view)
{
    for (uint32_t n = 0; n < view->head->ranges; n++)
        if (is_of_native(&view->ranges[n]))
            return true;
    return false;
}

static const struct cw_snapshot_range *find_data(const struct view *view)
{
    for (uint32_t n = 0; n < view->head->ranges; n++)
        if (view->ranges[n].address < CW_REGION)
            return &view->ranges[n];
    return NULL;
}

/* The executable's data first: it says which libraries there are. */
static bool restore_all(const struct view *view, const struct cw_snapshot_range *data, int file)
{
    struct cw_openssl_cpu cpu = cw_openssl_note_cpu();
    bool good = restore_data(view, data);
    cw_openssl_set_cpu(&cpu);
    restore_locals(view);
    for (int pass = 0; pass < 2 && good; pass++) {
        if (pass == 1)
            good = cw_natives_restore_map(file) == 0;
        for (uint32_t n = 0; n < view->head->ranges && good; n++) {
            const struct cw_snapshot_range *range = &view->ranges[n];
            if (range != data && is_of_native(range) == (pass == 1))
                good = move(view, range, 0, range->size);
        }
    }
    return good;
}

/* In words, why its addresses are not to be had. */
static const char *obstacle(int result)
{
    switch (result) {
    case -EEXIST:
        return "its addresses are taken";
    case -ENOMEM:
        return "there is not enough memory, or a limit on it";
    case -EPERM:
    case -EACCES:
        return "the kernel does not allow its addresses";
    case -ESTALE:
        return "the program's file has been exchanged";
    case -ENOENT:
        return "the program's file can't be found";
    default:
        return "the kernel refuses its memory";
    }
}

const char cw_no_snapshot[] = "it has none";

const char *cw_snapshot_restore(struct cw_bytes snapshot, enum cw_origin origin)
{
    struct view view;
    const char *fault = check(&view, snapshot, origin);
    if (fault)
        return fault;
    if (!cw_cpu_has(view.head->cpu))
        return "its native libraries have chosen code for another processor";
    if (has_gated_variable(&view))
        return "a variable in the environment matters to one of its modules";
    const struct cw_snapshot_range *data = find_data(&view);
    if (!data)
        return "the snapshot is damaged";
    int file = -1;
    if (has_natives(&view) && (file = cw_natives_restore_begin()) < 0)
        return obstacle(file);
    int result = restore_regions(&view);
    if (result < 0) {
        cw_natives_restore_undo(file);
        return obstacle(result);
    }
    if (restore_all(&view, data, file))
        return NULL;
    cw_again("the kernel refuses memory"); /* half of it may be in place */
    cw_die(CW_EXIT_START, cw_self_path(), "the kernel refuses memory; COACHWHIP_SNAPSHOT=0 starts without a snapshot");
}
