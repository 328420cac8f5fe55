#include "libraries.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

static bool in_span(struct cw_span span, uint32_t count)
{
    return span.first <= count && span.count <= count - span.first;
}

static bool in_pages(uint64_t value)
{
    return value % CW_LIBRARY_PAGE == 0;
}

static bool piece_is_good(const struct cw_image *image, const struct cw_piece *piece, uint64_t start, uint64_t size)
{
    if (!in_pages(piece->address) || !in_pages(piece->size) || piece->size == 0 || piece->size > size)
        return false;
    if (piece->address < start || piece->address - start > size - piece->size)
        return false;
    uint32_t both = CW_WRITE | CW_EXECUTE;
    if ((piece->protection & both) == both || piece->protection > 15)
        return false;
    if (piece->offset == CW_NO_CONTENT)
        return true;
    return in_pages(piece->offset) && piece->size <= image->pages_size &&
           piece->offset <= image->pages_size - piece->size;
}

/* Pieces in ascending order: none is mapped over another one. */
static bool pieces_are_good(const struct cw_image *image, const struct cw_library *library)
{
    uint64_t end = library->start;
    for (uint32_t n = 0; n < library->pieces.count; n++) {
        const struct cw_piece *piece = &image->pieces[library->pieces.first + n];
        if (!piece_is_good(image, piece, library->start, library->size) || piece->address < end)
            return false;
        end = piece->address + piece->size;
    }
    return true;
}

static bool records_are_good(const struct cw_image *image, const struct cw_library *library)
{
    for (uint32_t n = 0; n < library->needs.count; n++) {
        uint32_t node = image->needs[library->needs.first + n].node;
        if (node != CW_NO_NODE && node >= image->node_count)
            return false;
    }
    for (uint32_t n = 0; n < library->uses.count; n++)
        if (image->uses[library->uses.first + n] >= image->slot_count)
            return false;
    for (uint32_t n = 0; n < library->fixups.count; n++) {
        const struct cw_fixup *fixup = &image->fixups[library->fixups.first + n];
        if (fixup->kind > CW_FIX_RESOLVED || !cw_library_has(library, fixup->address, 8))
            return false;
        if (fixup->kind != CW_FIX_RESOLVED && fixup->slot >= image->slot_count)
            return false;
    }
    return true;
}

static bool has_table(const struct cw_library *library, uint64_t address, uint64_t count, uint64_t size)
{
    return address == 0 || (count <= library->size / size && cw_library_has(library, address, count * size));
}

static bool addresses_are_good(const struct cw_library *library)
{
    enum { SYMBOL = 24, HEADER = 56, DYNAMIC = 16, POINTER = 8 };
    uint64_t alignment = library->tls_alignment;
    return cw_library_has(library, library->dynamic, DYNAMIC) &&
           has_table(library, library->headers, library->header_count, HEADER) &&
           has_table(library, library->symbols, library->symbol_count, SYMBOL) &&
           has_table(library, library->strings, library->strings_size, 1) &&
           has_table(library, library->hash, 1, 16) &&
           has_table(library, library->versions, library->symbol_count, 2) &&
           has_table(library, library->definitions, 1, 20) && has_table(library, library->init, 1, 1) &&
           has_table(library, library->fini, 1, 1) &&
           has_table(library, library->init_array, library->init_count, POINTER) &&
           has_table(library, library->fini_array, library->fini_count, POINTER) &&
           has_table(library, library->frames, 1, 8) && has_table(library, library->tls_image, library->tls_size, 1) &&
           library->tls_size <= library->tls_room && library->tls_room <= library->size + CW_REGION &&
           (alignment & (alignment - 1)) == 0 && alignment <= CW_REGION;
}

static bool library_is_good(const struct cw_image *image, const struct cw_library *library)
{
    if (!in_pages(library->start) || !in_pages(library->size) || library->start < CW_FIRST_LIBRARY ||
        library->start > CW_REGION_END || library->size > CW_REGION_END - library->start)
        return false;
    if (library->base > library->start || library->node >= image->node_count ||
        library->tls_module > image->library_count || (library->tls_module != 0) != (library->tls_alignment != 0))
        return false;
    return in_span(library->pieces, image->piece_count) && in_span(library->needs, image->need_count) &&
           in_span(library->uses, image->use_count) && in_span(library->fixups, image->fixup_count) &&
           pieces_are_good(image, library) && records_are_good(image, library) && addresses_are_good(library);
}

static bool common_pieces_are_good(const struct cw_image *image)
{
    uint64_t size = (uint64_t)image->slot_count * CW_STUB_SIZE;
    if (image->piece_count < 2)
        return false;
    const struct cw_piece *stubs = &image->pieces[0], *slots = &image->pieces[1];
    return piece_is_good(image, stubs, CW_STUBS, CW_CODE_SLOTS - CW_STUBS) && stubs->address == CW_STUBS &&
           piece_is_good(image, slots, CW_CODE_SLOTS, CW_FIRST_LIBRARY - CW_CODE_SLOTS) &&
           slots->address == CW_CODE_SLOTS && slots->offset == CW_NO_CONTENT && stubs->size >= size &&
           slots->size >= size;
}

const char *cw_libraries_fault(const struct cw_image *image)
{
    static const char fault[] = "its tables of native libraries are damaged";
    if (image->library_count == 0)
        return NULL;
    if (image->pages_offset % CW_LIBRARY_PAGE || !common_pieces_are_good(image))
        return fault;
    for (uint32_t n = 0; n < image->library_count; n++) {
        const struct cw_library *library = &image->libraries[n];
        if (!library_is_good(image, library))
            return fault;
        if (n && (library[-1].node >= library->node || library[-1].start + library[-1].size > library->start))
            return fault;
    }
    return NULL;
}

const struct cw_library *cw_library_of(const struct cw_image *image, const struct cw_node *node)
{
    uint32_t wanted = (uint32_t)(node - image->nodes), low = 0, high = image->library_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (image->libraries[middle].node < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low < image->library_count && image->libraries[low].node == wanted ? &image->libraries[low] : NULL;
}

const struct cw_library *cw_library_at(const struct cw_image *image, uint64_t address)
{
    uint32_t low = 0, high = image->library_count;
    if (address < CW_FIRST_LIBRARY || address >= CW_REGION_END)
        return NULL;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct cw_library *library = &image->libraries[middle];
        if (library->start + library->size <= address)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < image->library_count && cw_library_has(&image->libraries[low], address, 1);
    return found ? &image->libraries[low] : NULL;
}

uint64_t cw_libraries_end(const struct cw_image *image)
{
    if (image->library_count == 0)
        return CW_FIRST_LIBRARY;
    const struct cw_library *last = &image->libraries[image->library_count - 1];
    return last->start + last->size;
}

/* What a library has at an address when it is mapped, and how much of it lies together; NULL for nothing. */
static const uint8_t *content_at(const struct cw_image *image, const struct cw_library *library, uint64_t address,
                                 uint64_t *size)
{
    for (uint32_t n = 0; n < library->pieces.count; n++) {
        const struct cw_piece *piece = &image->pieces[library->pieces.first + n];
        if (piece->offset == CW_NO_CONTENT || address < piece->address || address - piece->address >= piece->size)
            continue;
        *size = piece->size - (address - piece->address);
        return image->base + image->pages_offset + piece->offset + (address - piece->address);
    }
    return NULL;
}

static bool combine(const struct cw_image *image, const struct cw_library *library, const Elf64_Phdr *header,
                    uint8_t *file, uint64_t size)
{
    uint64_t address = library->base + header->p_vaddr, left = header->p_filesz, there;
    if (header->p_offset > size || left > size - header->p_offset)
        return false;
    for (uint8_t *to = file + header->p_offset; left; left -= there, address += there, to += there) {
        const uint8_t *from = content_at(image, library, address, &there);
        if (!from)
            return false;
        there = there < left ? there : left;
        for (uint64_t n = 0; n < there; n++)
            to[n] ^= from[n];
    }
    return true;
}

bool cw_library_original(const struct cw_image *image, const struct cw_node *node, uint8_t *file, uint64_t size)
{
    const struct cw_library *library = cw_library_of(image, node);
    uint64_t there;
    const uint8_t *headers = library ? content_at(image, library, library->headers, &there) : NULL;
    if (!headers || there / sizeof(Elf64_Phdr) < library->header_count)
        return false;
    for (uint32_t n = 0; n < library->header_count; n++) {
        Elf64_Phdr header;
        memcpy(&header, headers + n * sizeof header, sizeof header);
        if (header.p_type == PT_LOAD && !combine(image, library, &header, file, size))
            return false;
    }
    return true;
}
