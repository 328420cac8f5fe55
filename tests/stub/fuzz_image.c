/* Changes valid images at random and calls every function of the reader on the result, checksums put right
 * again so that bounds and not checksums are what is tested. Arguments: IMAGE SEED ROUNDS. The sanitizers that
 * this is compiled with end it at the first access that is not allowed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "libraries.h"
#include "xxh64.h"

static uint64_t state;

static uint64_t number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Values at which bounds checks tend to be wrong. */
static uint64_t interesting(uint64_t size)
{
    const uint64_t values[] = {0, 1, 7, 8, size - 1, size, size + 1, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_MAX - 7};
    return values[number() % (sizeof values / sizeof *values)];
}

static void change(uint8_t *data, uint64_t size)
{
    uint64_t at = number() % size;
    switch (number() % 5) {
    case 0:
        data[at] ^= (uint8_t)(1u << number() % 8);
        break;
    case 1:
        data[at] = (uint8_t)number();
        break;
    case 2: {
        uint32_t value = (uint32_t)interesting(size);
        at &= ~3ull;
        if (at + sizeof value <= size)
            memcpy(data + at, &value, sizeof value);
        break;
    }
    case 3: {
        uint64_t value = interesting(size);
        at &= ~7ull;
        if (at + sizeof value <= size)
            memcpy(data + at, &value, sizeof value);
        break;
    }
    default: {
        uint64_t from = number() % size, count = number() % 64;
        if (at + count <= size && from + count <= size)
            memmove(data + at, data + from, count);
    }
    }
}

/* The header's fields decide what the checksums are over, so this has to be as careful as the reader. */
static void repair(uint8_t *data, uint64_t size)
{
    struct cw_header *header = (struct cw_header *)(void *)data;
    if (size < sizeof *header)
        return;
    memcpy(header->magic, CW_MAGIC, sizeof header->magic);
    header->version = CW_VERSION;
    header->header_size = sizeof *header;
    header->image_size = size;
    uint64_t tables = header->sections[CW_DATA].offset;
    if (tables >= sizeof *header && tables <= size)
        header->tables_checksum = cw_xxh64(data + sizeof *header, tables - sizeof *header);
    header->header_checksum = cw_xxh64(header, offsetof(struct cw_header, header_checksum));
}

static uint64_t used;

static void use(struct cw_text text)
{
    if (text.data) {
        used += strlen(text.data) == text.size;
        used += text.data[text.size] == '\0';
    }
}

static void use_list(const struct cw_image *image, struct cw_list list)
{
    struct cw_text item;
    for (uint32_t n = 0; n < 1000 && (item = cw_image_item(image, list, n)).data; n++)
        use(item);
}

static void use_blob(const struct cw_image *image, const struct cw_blob *blob)
{
    struct cw_bytes bytes = cw_image_blob(image, blob);
    for (uint64_t n = 0; bytes.data && n < bytes.size; n++)
        used += bytes.data[n];
}

static void use_node(const struct cw_image *image, const struct cw_node *node)
{
    struct cw_text path = cw_image_text(image, node->path);
    use(path);
    use(cw_image_name(image, node));
    if (path.data)
        used += cw_image_find(image, path.data, path.size) == node;
    const struct cw_node *other;
    for (uint32_t n = 0; n < 1000 && (other = cw_image_child(image, node, n)); n++)
        used += other->kind;
    for (uint32_t n = 0; n < 1000 && (other = cw_image_dep(image, node, n)); n++)
        used += other->kind;
    used += cw_image_child(image, node, UINT32_MAX) != NULL;
    used += cw_image_dep(image, node, UINT32_MAX) != NULL;
    use_blob(image, &node->data);
    use_blob(image, &node->code);
}

/* What the loader relies on without asking again. */
static void use_library(const struct cw_image *image, const struct cw_library *library)
{
    used += cw_library_of(image, &image->nodes[library->node]) == library;
    used += cw_library_at(image, library->start) == library;
    use(cw_image_text(image, library->soname));
    use_list(image, library->folders);
    for (uint32_t n = 0; n < library->pieces.count; n++) {
        const struct cw_piece *piece = &image->pieces[library->pieces.first + n];
        if (piece->offset != CW_NO_CONTENT)
            used += image->base[image->pages_offset + piece->offset + piece->size - 1];
    }
    for (uint32_t n = 0; n < library->needs.count; n++) {
        const struct cw_need *need = &image->needs[library->needs.first + n];
        use(cw_image_text(image, need->name));
        if (need->node != CW_NO_NODE)
            used += image->nodes[need->node].kind;
    }
    for (uint32_t n = 0; n < library->uses.count; n++)
        use(cw_image_text(image, image->slots[image->uses[library->uses.first + n]].name));
    for (uint32_t n = 0; n < library->fixups.count; n++) {
        const struct cw_fixup *fixup = &image->fixups[library->fixups.first + n];
        if (fixup->kind != CW_FIX_RESOLVED)
            use(cw_image_text(image, image->slots[fixup->slot].version));
    }
}

static void use_original(const struct cw_image *image, const struct cw_node *node)
{
    uint64_t size = node->data.raw < 1 << 16 ? node->data.raw : 1 << 16;
    uint8_t *file = calloc(1, size + 1);
    used += cw_library_original(image, node, file, size);
    free(file);
}

static void use_all(const struct cw_image *image)
{
    for (uint32_t n = 0; n < image->node_count; n++)
        if (image->nodes[n].flags & CW_DATA_DIFFERENCE)
            use_original(image, &image->nodes[n]);
    for (uint32_t n = 0; n < image->library_count; n++)
        use_library(image, &image->libraries[n]);
    used += cw_libraries_end(image) < CW_FIRST_LIBRARY;
    for (uint32_t n = 0; n < image->node_count; n++)
        use_node(image, cw_image_node(image, n));
    used += cw_image_node(image, image->node_count) != NULL;
    use(cw_image_text(image, image->settings->name));
    use(cw_image_text(image, image->settings->version));
    use(cw_image_text(image, image->settings->python));
    use(cw_image_text(image, image->settings->entry_module));
    use_list(image, image->settings->xoptions);
    use_list(image, image->settings->warnings);
    use_list(image, image->settings->path_lines);
    used += cw_image_find(image, "", 0) != NULL;
    used += cw_image_find(image, "no/such/path", 12) != NULL;
}

/* The changed copy has a block of its own, so that every byte beyond its end is out of bounds. */
static int round_of(const uint8_t *original, uint64_t size)
{
    uint64_t cut = number() % 8 ? size : number() % size + 1;
    uint8_t *data = malloc(cut);
    struct cw_image image;
    memcpy(data, original, cut);
    for (uint64_t changes = number() % 6; changes; changes--) {
        /* Most of an image is data; its tables are what the reader follows. */
        uint64_t tables = ((const struct cw_header *)(const void *)original)->sections[CW_DATA].offset;
        tables = tables < cut ? tables : cut;
        change(data, number() % 4 ? tables : cut);
    }
    if (number() % 8)
        repair(data, cut);
    int opened = cw_image_open(&image, data, cut) == NULL;
    if (opened)
        use_all(&image);
    free(data);
    return opened;
}

int main(int argc, char **argv)
{
    FILE *stream = argc == 4 ? fopen(argv[1], "rb") : NULL;
    if (!stream)
        return 2;
    fseek(stream, 0, SEEK_END);
    uint64_t size = (uint64_t)ftell(stream);
    uint8_t *original = malloc(size);
    rewind(stream);
    if (fread(original, 1, size, stream) != size)
        return 2;
    fclose(stream);
    state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
    long rounds = atol(argv[3]), opened = 0;
    for (long n = 0; n < rounds; n++)
        opened += round_of(original, size);
    free(original);
    printf("%ld opened, %" PRIu64 "\n", opened, used);
    return 0;
}
