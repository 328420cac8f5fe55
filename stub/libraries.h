/* The image's tables of prelinked libraries, checked. */
#ifndef CW_LIBRARIES_H
#define CW_LIBRARIES_H

#include "image.h"

/* Where prelinked libraries may be, and where the jump stubs and the slots are; src/coachwhip/prelink/model.py has
 * the same. */
#define CW_REGION 0x800000000ull
#define CW_REGION_END 0x1000000000ull
#define CW_STUBS CW_REGION
#define CW_CODE_SLOTS (CW_REGION + (8ull << 20))
#define CW_FIRST_LIBRARY (CW_REGION + (16ull << 20))
enum { CW_STUB_SIZE = 8, CW_LIBRARY_PAGE = 4096 };

/* What is wrong with these tables, or NULL. Afterwards every span of a library lies within its section, every
 * address within its library, every piece's content within the pages, and every number of a slot or a node exists.
 * For cw_image_open. */
const char *cw_libraries_fault(const struct cw_image *image);

/* The library that was made of a node, or NULL. */
const struct cw_library *cw_library_of(const struct cw_image *image, const struct cw_node *node);

/* The library that has an address, or NULL. */
const struct cw_library *cw_library_at(const struct cw_image *image, uint64_t address);

/* Makes the file of a prelinked library of the difference to its memory. False when they are not of the same one. */
bool cw_library_original(const struct cw_image *image, const struct cw_node *node, uint8_t *file, uint64_t size);

/* The first address behind all libraries. */
uint64_t cw_libraries_end(const struct cw_image *image);

/* Whether `size` bytes from `address` on lie in the library. */
static inline bool cw_library_has(const struct cw_library *library, uint64_t address, uint64_t size)
{
    return address >= library->start && size <= library->size && address - library->start <= library->size - size;
}

#endif
