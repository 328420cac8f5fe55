#include "snapshot_view.h"

#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "heap_pages.h"
#include "libraries.h"
#include "stub.h"
#include "xxh64.h"

#include "live.h"

static bool is_within(const struct cw_snapshot_range *range, const char *from, const char *to)
{
    uintptr_t at = range->address;
    return at >= (uintptr_t)from && at <= (uintptr_t)to && range->size <= (uintptr_t)to - at;
}

static bool is_good_range(const struct cw_view *view, const struct cw_snapshot_range *range)
{
    const struct cw_snapshot_head *head = view->head;
    struct cw_extent data = cw_static_extent();
    uint64_t end = head->size - head->plan_size - head->working_set_size; /* of what belongs to ranges */
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
    if (head->working_set_size > head->size - CW_SNAPSHOT_ROOM - head->plan_size)
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
static bool has_good_ranges(const struct cw_view *view)
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

const char *cw_view_open(struct cw_view *view, struct cw_bytes snapshot, enum cw_origin origin)
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
    struct cw_view view;
    return cw_view_open(&view, snapshot, origin);
}

struct cw_bytes cw_snapshot_plan(struct cw_bytes snapshot)
{
    struct cw_view view;
    if (cw_view_open(&view, snapshot, CW_OF_PRODUCT))
        return (struct cw_bytes){NULL, 0};
    uint64_t size = view.head->plan_size;
    return (struct cw_bytes){snapshot.data + view.head->size - size, size};
}

bool cw_view_is_gated(const struct cw_view *view)
{
    const char *end = view->gates + view->head->gates_size;
    for (const char *name = view->gates; name < end && memchr(name, '\0', (size_t)(end - name));
         name += strlen(name) + 1)
        if (getenv(name))
            return true;
    return false;
}

bool cw_range_is_native(const struct cw_snapshot_range *range)
{
    return range->address >= CW_REGION && range->address < CW_REGION_END;
}

bool cw_view_has_natives(const struct cw_view *view)
{
    for (uint32_t n = 0; n < view->head->ranges; n++)
        if (cw_range_is_native(&view->ranges[n]))
            return true;
    return false;
}

const struct cw_snapshot_range *cw_view_data(const struct cw_view *view)
{
    for (uint32_t n = 0; n < view->head->ranges; n++)
        if (view->ranges[n].address < CW_REGION)
            return &view->ranges[n];
    return NULL;
}

void cw_view_each_run(const struct cw_view *view, void (*visit)(char *at, size_t size))
{
    const struct cw_snapshot_head *head = view->head;
    const struct cw_snapshot_range *range = view->ranges, *last = range + head->ranges;
    const uint64_t at = head->size - head->plan_size - head->working_set_size;
    const struct cw_page_run *runs = (const void *)(view->base + at);
    for (uint64_t n = 0; n < head->working_set_size / sizeof *runs; n++) {
        struct cw_page_run run;
        memcpy(&run, &runs[n], sizeof run); /* once: what is used is what was checked */
        uint64_t offset = (uint64_t)run.first * CW_PAGE, size = (uint64_t)run.count * CW_PAGE;
        while (range < last && offset >= range->offset + range->size)
            range++;
        if (range == last || offset < range->offset || size > range->offset + range->size - offset)
            return;
        visit((char *)range->address + (offset - range->offset), size);
    }
}
