#define _GNU_SOURCE 1
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "heap.h"
#include "heap_cache.h"
#include "heap_pages.h"
#include "heap_state.h"
#include "natives.h"
#include "snapshot.h"
#include "strays.h"
#include "stub.h"
#include "sys.h"
#include "xxh64.h"

#include "live.h"

enum {
    MOST_RANGES = 400,
    WORTH_A_RANGE = 16, /* zero pages in a row; fewer are saved like others, for every range costs system calls */
};

/* What comes before the ranges' bytes. */
static union {
    struct {
        struct cw_snapshot_head head;
        struct cw_snapshot_range ranges[MOST_RANGES];
    };
    char bytes[CW_SNAPSHOT_ROOM];
} start;

static bool is_zero(const char *page)
{
    const uint64_t *words = (const void *)page;
    for (size_t n = 0; n < CW_PAGE / sizeof *words; n++)
        if (words[n])
            return false;
    return true;
}

static bool add_range(const char *from, const char *to)
{
    if (start.head.ranges == MOST_RANGES)
        return false;
    uint64_t size = (uint64_t)(to - from);
    start.ranges[start.head.ranges++] = (struct cw_snapshot_range){(uintptr_t)from, size, start.head.size};
    start.head.size += size;
    return true;
}

/* Adds the parts of a region that are not zero. */
static bool add_region(const char *from, const char *to)
{
    const char *begin = NULL, *end = NULL; /* of the range that is being made */
    for (const char *page = from; page < to; page += CW_PAGE) {
        if (is_zero(page))
            continue;
        if (begin && page - end > WORTH_A_RANGE * CW_PAGE) {
            if (!add_range(begin, end))
                return false;
            begin = NULL;
        }
        if (!begin)
            begin = page;
        end = page + CW_PAGE;
    }
    return !begin || add_range(begin, end);
}

static bool write_zeros(int fd, size_t size)
{
    static const char zeros[CW_PAGE];
    for (; size > sizeof zeros; size -= sizeof zeros)
        if (!sys_write_all(fd, zeros, sizeof zeros))
            return false;
    return sys_write_all(fd, zeros, size);
}

/* The executable's data, without what is of this process. */
static bool write_data(int fd, struct cw_extent data)
{
    struct cw_extent live = cw_live_extent();
    return sys_write_all(fd, data.from, (size_t)(live.from - data.from))
        && write_zeros(fd, (size_t)(live.to - live.from)) && sys_write_all(fd, live.to, (size_t)(data.to - live.to));
}

static bool write_snapshot(int fd)
{
    struct cw_extent data = cw_static_extent();
    if (!sys_write_all(fd, start.bytes, sizeof start.bytes))
        return false;
    for (uint32_t n = 0; n < start.head.ranges; n++) {
        char *from = (char *)start.ranges[n].address;
        if (from == data.from ? !write_data(fd, data) : !sys_write_all(fd, from, start.ranges[n].size))
            return false;
    }
    return true;
}

/* Appends to what comes before the ranges' bytes. */
static bool append(size_t *at, const void *bytes, size_t size)
{
    if (size > sizeof start.bytes - *at)
        return false;
    memcpy(start.bytes + *at, bytes, size);
    *at += size;
    return true;
}

static bool add_locals_and_gates(struct cw_bytes gates)
{
    struct cw_extent locals = cw_local_extent();
    size_t at = sizeof start.head + start.head.ranges * sizeof *start.ranges;
    start.head.locals_size = (uint32_t)(locals.to - locals.from);
    start.head.gates_size = gates.size;
    return append(&at, locals.from, start.head.locals_size) && append(&at, gates.data, gates.size);
}

/* The variables of a prelinked library; a region's beginning and end are those of a range, as others follow on it. */
static void add_native(void *good, void *from, size_t size)
{
    char *to = (char *)from + ((size + CW_PAGE - 1) & ~(size_t)(CW_PAGE - 1));
    if (!add_range(from, to))
        *(bool *)good = false;
}

static bool add_natives(void)
{
    bool good = true;
    cw_natives_ranges(add_native, &good);
    return good;
}

/* In all that is saved but what is of this process. */
static size_t look_for_strays(void)
{
    struct cw_extent live = cw_live_extent(), data = cw_static_extent(), locals = cw_local_extent();
    for (uint32_t n = 0; n < start.head.ranges; n++) {
        char *from = (char *)start.ranges[n].address;
        if (from != data.from)
            cw_strays_look(from, start.ranges[n].size);
    }
    cw_strays_look(data.from, (size_t)(live.from - data.from));
    cw_strays_look(locals.from, (size_t)(locals.to - locals.from));
    return cw_strays_end();
}

/* Instead of a snapshot: the paths of the libraries that are in its way, each with a NUL. */
static void write_holders(int fd)
{
    const char *path;
    for (size_t n = 0; (path = cw_strays_holder(n)); n++)
        (void)sys_write_all(fd, path, strlen(path) + 1);
}

/* Everything of the head that is known before memory has been looked at. */
static void begin(enum cw_origin origin)
{
    const struct cw_header *header = cw_image.header;
    struct cw_snapshot_head *head = &start.head;
    memset(&start, 0, sizeof start);
    memcpy(head->magic, CW_SNAPSHOT_MAGIC, sizeof head->magic);
    memcpy(head->stub_id, header->stub_id, sizeof head->stub_id);
    if (origin == CW_OF_MACHINE)
        memcpy(head->image_id, header->image_id, sizeof head->image_id);
    head->tables_checksum = header->tables_checksum;
    head->size = sizeof start.bytes;
    head->heap_end = (uintptr_t)(cw_heap.region_end ? cw_heap.region_end : CW_HEAP_BASE);
    head->arenas_end = (uintptr_t)(cw_heap.arenas_end ? cw_heap.arenas_end : CW_ARENA_BASE);
}

const char *cw_snapshot_save(int fd, enum cw_origin origin, struct cw_bytes gates)
{
    cw_strays_begin(); /* needs memory, which is free again afterwards; the heap may grow for it */
    cw_cache_flush();
    cw_heap_scrub();
    struct cw_extent data = cw_static_extent();
    begin(origin);
    if (!add_region(CW_HEAP_BASE, (char *)start.head.heap_end)
        || !add_region(CW_ARENA_BASE, (char *)start.head.arenas_end) || !add_range(data.from, data.to)
        || !add_natives() || !add_locals_and_gates(gates))
        return "the program's memory is in too many pieces";
    if (cw_native_loaded(0))
        cw_cpu_read(start.head.cpu);
    if (look_for_strays()) {
        write_holders(fd);
        return "a native library keeps addresses of libraries of this machine";
    }
    start.head.checksum = cw_xxh64(start.bytes, sizeof start.bytes);
    return write_snapshot(fd) ? NULL : strerror(errno);
}
