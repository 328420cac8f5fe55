#define _GNU_SOURCE 1
#include <errno.h>
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
#include "snapshot_view.h"
#include "stub.h"
#include "working_set.h"

#include "live.h"

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
static bool move(const struct cw_view *view, const struct cw_snapshot_range *range, size_t skip, size_t size)
{
    char *source = (char *)(uintptr_t)view->base + range->offset + skip;
    char *to = (char *)range->address + skip;
    if (!size)
        return true;
    if (mprotect(source, size, PROT_READ | PROT_WRITE) == 0
        && mremap(source, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to) {
        cw_working_set_part(to, size);
        return true;
    }
    return copy_pages(source, to, size);
}

static void copy(const struct cw_view *view, const struct cw_snapshot_range *range, char *from, const char *to)
{
    memcpy(from, view->base + range->offset + (from - (char *)range->address), (size_t)(to - from));
}

/* The executable's data: its pages but those in which there is something of this process. */
static bool restore_data(const struct cw_view *view, const struct cw_snapshot_range *range)
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

static void restore_locals(const struct cw_view *view)
{
    struct cw_extent locals = cw_local_extent();
    memcpy(locals.from, view->locals, view->head->locals_size);
}

static int restore_regions(const struct cw_view *view)
{
    int result = reserve(CW_HEAP_BASE, view->head->heap_end);
    if (result < 0)
        return result;
    result = reserve(CW_ARENA_BASE, view->head->arenas_end);
    if (result < 0)
        munmap(CW_HEAP_BASE, view->head->heap_end - (uintptr_t)CW_HEAP_BASE);
    return result;
}

/* The executable's data first: it says which libraries there are. */
static bool restore_all(const struct cw_view *view, const struct cw_snapshot_range *data, int file)
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
            if (range != data && cw_range_is_native(range) == (pass == 1))
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
    struct cw_view view;
    const char *fault = cw_view_open(&view, snapshot, origin);
    if (fault)
        return fault;
    if (!cw_cpu_has(view.head->cpu))
        return "its native libraries have chosen code for another processor";
    if (cw_view_is_gated(&view))
        return "a variable in the environment matters to one of its modules";
    const struct cw_snapshot_range *data = cw_view_data(&view);
    if (!data)
        return "the snapshot is damaged";
    int file = -1;
    if (cw_view_has_natives(&view) && (file = cw_natives_restore_begin()) < 0)
        return obstacle(file);
    int result = restore_regions(&view);
    if (result < 0) {
        cw_natives_restore_undo(file);
        return obstacle(result);
    }
    cw_working_set_watch(&view);
    if (restore_all(&view, data, file)) {
        cw_working_set_load(&view);
        return NULL;
    }
    cw_again("the kernel refuses memory"); /* half of it may be in place */
    cw_die(CW_EXIT_START, cw_self_path(), "the kernel refuses memory; COACHWHIP_SNAPSHOT=0 starts without a snapshot");
}
