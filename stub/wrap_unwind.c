/* How unwinders find the frames of prelinked libraries: those of packaged libraries, and the system's libgcc_s. */
#define _GNU_SOURCE 1
#include <link.h>
#include <stddef.h>

#include "natives.h"
#include "next.h"
#include "paths.h"

typedef int visitor(struct dl_phdr_info *, size_t, void *);
CW_NEXT(dl_iterate_phdr, int, visitor *, void *)

/* `dlpi_adds` tells callers whether what they have remembered is still all there is. */
struct walk {
    visitor *visit;
    void *data;
    unsigned long long adds, subs;
};

static int visit_system(struct dl_phdr_info *info, size_t size, void *data)
{
    struct walk *walk = data;
    struct dl_phdr_info changed = *info;
    walk->subs = info->dlpi_subs;
    walk->adds = info->dlpi_adds + cw_natives.loaded_count;
    changed.dlpi_adds = walk->adds;
    return walk->visit(&changed, size, walk->data);
}

static struct dl_phdr_info describe(const struct cw_native *native, const struct walk *walk)
{
    const struct cw_library *library = native->library;
    return (struct dl_phdr_info){
        .dlpi_addr = library->base,
        .dlpi_name = native->map.l_name,
        .dlpi_phdr = (const ElfW(Phdr) *)(uintptr_t)library->headers,
        .dlpi_phnum = (ElfW(Half))library->header_count,
        .dlpi_adds = walk->adds,
        .dlpi_subs = walk->subs,
    };
}

static int walk_all(visitor *visit, void *data)
{
    struct walk walk = {.visit = visit, .data = data};
    const struct cw_native *native;
    int result = next_dl_iterate_phdr()(visit_system, &walk);
    for (uint32_t n = 0; result == 0 && (native = cw_native_loaded(n)); n++) {
        struct dl_phdr_info info = describe(native, &walk);
        result = visit(&info, sizeof info, data);
    }
    return result;
}

int cw_dl_iterate_phdr(visitor *visit, void *data) CW_EXPORT(dl_iterate_phdr);
CW_EARLY int cw_dl_iterate_phdr(visitor *visit, void *data)
{
    return cw_natives.loaded_count ? walk_all(visit, data) : next_dl_iterate_phdr()(visit, data);
}

/* struct dl_find_object of glibc 2.35 and newer. */
struct found_object {
    unsigned long long flags;
    void *start;
    void *end;
    struct link_map *map;
    void *frames;
    unsigned long long reserved[7];
};

CW_NEXT(_dl_find_object, int, void *, struct found_object *)

/* For a packaged libgcc_s that is newer than the machine's glibc. */
struct search {
    uint64_t address;
    struct found_object *result;
};

static int visit_object(struct dl_phdr_info *info, size_t size, void *data)
{
    struct search *search = data;
    void *frames = NULL;
    bool inside = false;
    (void)size;
    for (int n = 0; n < info->dlpi_phnum; n++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[n];
        uint64_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_GNU_EH_FRAME)
            frames = (void *)(uintptr_t)start;
        if (header->p_type != PT_LOAD || search->address - start >= header->p_memsz)
            continue;
        inside = true;
        search->result->start = (void *)(uintptr_t)start;
        search->result->end = (void *)(uintptr_t)(start + header->p_memsz);
    }
    search->result->frames = frames;
    return inside && frames;
}

int cw_find_object(void *address, struct found_object *result) CW_EXPORT(_dl_find_object);
int cw_find_object(void *address, struct found_object *result)
{
    struct cw_native *native = cw_native_at(address);
    if (native) {
        const struct cw_library *library = native->library;
        *result = (struct found_object){
            .start = (void *)(uintptr_t)library->start,
            .end = (void *)(uintptr_t)(library->start + library->size),
            .map = &native->map,
            .frames = (void *)(uintptr_t)library->frames,
        };
        return library->frames ? 0 : -1;
    }
    if (next__dl_find_object())
        return next__dl_find_object()(address, result);
    *result = (struct found_object){0};
    struct search search = {(uint64_t)(uintptr_t)address, result};
    return next_dl_iterate_phdr()(visit_object, &search) ? 0 : -1;
}
