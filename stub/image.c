#define _GNU_SOURCE 1 /* memrchr */
#include "image.h"

#include <string.h>

#include "libraries.h"
#include "xxh64.h"

_Static_assert(sizeof(struct cw_node) == 96, "the format's node is 96 bytes");
_Static_assert(sizeof(struct cw_settings) == 72, "the format's settings are 72 bytes");
_Static_assert(sizeof(struct cw_library) == 240, "the format's library is 240 bytes");
_Static_assert(sizeof(struct cw_piece) == 32 && sizeof(struct cw_need) == 16 && sizeof(struct cw_slot) == 32 &&
                   sizeof(struct cw_fixup) == 24,
               "the format's library tables have no padding");
_Static_assert(sizeof(struct cw_header) == 96 + 16 * CW_SECTIONS + 16, "the header has no padding");

static bool within(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}

/* A section as an array: its start, and the number of whole items. */
static const void *section(const struct cw_image *image, enum cw_section_id id, size_t item, uint64_t *count)
{
    const struct cw_range *range = &image->header->sections[id];
    *count = range->size / item;
    return image->base + range->offset;
}

static const char *check_header(const struct cw_header *header, uint64_t size)
{
    if (size < sizeof *header)
        return "it is too short";
    if (memcmp(header->magic, CW_MAGIC, sizeof header->magic) != 0)
        return "its image does not start as one";
    if (header->version != CW_VERSION)
        return "its image has a format that this program does not know";
    if (header->header_size != sizeof *header || header->image_size != size)
        return "its size is not what it says";
    if (cw_xxh64(header, offsetof(struct cw_header, header_checksum)) != header->header_checksum)
        return "its header is damaged";
    uint64_t end = sizeof *header;
    for (int id = 0; id < CW_SECTIONS; id++) {
        const struct cw_range *range = &header->sections[id];
        if (range->offset < end || range->offset % 8 || !within(range->offset, range->size, size))
            return "a part of it lies outside of it";
        end = range->offset + range->size;
    }
    return NULL;
}

/* A section as an array of at most 2^32 - 1 items. */
static const void *counted(const struct cw_image *image, enum cw_section_id id, size_t item, uint32_t *count)
{
    uint64_t all;
    const void *start = section(image, id, item, &all);
    *count = all < UINT32_MAX ? (uint32_t)all : 0;
    return start;
}

static const char *open_libraries(struct cw_image *image)
{
    image->libraries = counted(image, CW_LIBRARIES, sizeof *image->libraries, &image->library_count);
    image->pieces = counted(image, CW_PIECES, sizeof *image->pieces, &image->piece_count);
    image->needs = counted(image, CW_NEEDS, sizeof *image->needs, &image->need_count);
    image->slots = counted(image, CW_SLOTS, sizeof *image->slots, &image->slot_count);
    image->uses = counted(image, CW_USES, sizeof *image->uses, &image->use_count);
    image->fixups = counted(image, CW_FIXUPS, sizeof *image->fixups, &image->fixup_count);
    image->pages_offset = image->header->sections[CW_PAGES].offset;
    image->pages_size = image->header->sections[CW_PAGES].size;
    return cw_libraries_fault(image);
}

static const char *open_tables(struct cw_image *image)
{
    uint64_t nodes, slots, deps, lists, settings;
    image->nodes = section(image, CW_NODES, sizeof(struct cw_node), &nodes);
    image->strings = section(image, CW_STRINGS, 1, &image->strings_size);
    image->paths = section(image, CW_PATHS, sizeof(uint32_t), &slots);
    image->deps = section(image, CW_DEPS, sizeof(uint32_t), &deps);
    image->lists = section(image, CW_LISTS, sizeof(struct cw_string), &lists);
    image->settings = section(image, CW_SETTINGS, sizeof(struct cw_settings), &settings);
    image->data = section(image, CW_DATA, 1, &image->data_size);
    /* More slots than nodes: a search always ends at a free one. */
    if (nodes == 0 || nodes >= slots || slots > UINT32_MAX || (slots & (slots - 1)) || settings != 1)
        return "its tables are damaged";
    if (deps > UINT32_MAX || lists > UINT32_MAX)
        return "its tables are damaged";
    image->node_count = (uint32_t)nodes;
    image->path_mask = (uint32_t)(slots - 1);
    image->dep_count = (uint32_t)deps;
    image->list_count = (uint32_t)lists;
    return open_libraries(image);
}

const char *cw_image_open(struct cw_image *image, const void *base, uint64_t size)
{
    *image = (struct cw_image){.base = base, .header = base};
    const char *fault = check_header(image->header, size);
    if (fault)
        return fault;
    const struct cw_header *header = image->header;
    uint64_t tables = header->sections[CW_DATA].offset - sizeof *header;
    if (cw_xxh64(image->base + sizeof *header, tables) != header->tables_checksum)
        return "its tables are damaged";
    return open_tables(image);
}

struct cw_text cw_image_text(const struct cw_image *image, struct cw_string string)
{
    struct cw_text text = {NULL, 0};
    uint64_t end = (uint64_t)string.offset + string.size;
    if (end >= image->strings_size || image->strings[end] != '\0')
        return text;
    const char *data = image->strings + string.offset;
    if (memchr(data, '\0', string.size))
        return text;
    text.data = data;
    text.size = string.size;
    return text;
}

struct cw_text cw_image_item(const struct cw_image *image, struct cw_list list, uint32_t index)
{
    uint64_t at = (uint64_t)list.first + index;
    if (index >= list.count || at >= image->list_count)
        return (struct cw_text){NULL, 0};
    return cw_image_text(image, image->lists[at]);
}

const struct cw_node *cw_image_node(const struct cw_image *image, uint32_t index)
{
    return index < image->node_count ? &image->nodes[index] : NULL;
}

const struct cw_node *cw_image_find(const struct cw_image *image, const char *path, size_t size)
{
    uint32_t slot = (uint32_t)cw_xxh64(path, size) & image->path_mask;
    for (uint32_t tries = 0; tries <= image->path_mask; tries++) {
        uint32_t entry = image->paths[slot];
        if (entry == 0)
            return NULL;
        const struct cw_node *node = cw_image_node(image, entry - 1);
        if (!node)
            return NULL;
        struct cw_text text = cw_image_text(image, node->path);
        if (text.data && text.size == size && memcmp(text.data, path, size) == 0)
            return node;
        slot = (slot + 1) & image->path_mask;
    }
    return NULL;
}

const struct cw_node *cw_image_child(const struct cw_image *image, const struct cw_node *node, uint32_t index)
{
    uint64_t at = (uint64_t)node->first_child + index;
    if (node->kind != CW_DIRECTORY || index >= node->child_count || at >= image->node_count)
        return NULL;
    return &image->nodes[at];
}

const struct cw_node *cw_image_dep(const struct cw_image *image, const struct cw_node *node, uint32_t index)
{
    uint64_t at = (uint64_t)node->first_dep + index;
    if (index >= node->dep_count || at >= image->dep_count)
        return NULL;
    return cw_image_node(image, image->deps[at]);
}

struct cw_text cw_image_name(const struct cw_image *image, const struct cw_node *node)
{
    struct cw_text path = cw_image_text(image, node->path);
    if (!path.data)
        return path;
    const char *slash = memrchr(path.data, '/', path.size);
    if (!slash)
        return path;
    uint32_t skip = (uint32_t)(slash + 1 - path.data);
    return (struct cw_text){path.data + skip, path.size - skip};
}

struct cw_bytes cw_image_unverified(const struct cw_image *image, const struct cw_blob *blob)
{
    if (!within(blob->offset, blob->stored, image->data_size))
        return (struct cw_bytes){NULL, 0};
    return (struct cw_bytes){image->data + blob->offset, blob->stored};
}

struct cw_bytes cw_image_blob(const struct cw_image *image, const struct cw_blob *blob)
{
    struct cw_bytes bytes = cw_image_unverified(image, blob);
    if (bytes.data && cw_xxh64(bytes.data, bytes.size) != blob->checksum)
        return (struct cw_bytes){NULL, 0};
    return bytes;
}
