/* Where the heap's memory comes from: regions at fixed addresses that grow, and mappings of their own for what is very
 * large. */
#ifndef CW_HEAP_PAGES_H
#define CW_HEAP_PAGES_H

#include <stdbool.h>
#include <stddef.h>

enum { CW_PAGE = 4096 };

/* Adds a pool of at least `size` bytes; false when there is no memory. With the heap's lock held. */
bool cw_pages_grow(size_t size);

/* Counts the bytes of a block that became part of a free one of `joined` bytes, and gives pages back to the kernel when
 * much is free. With the lock held. */
void cw_pages_note_free(size_t size, size_t joined);

/* Counts the bytes of a block that is in use now. */
void cw_pages_note_use(size_t size);

/* Whether a block of this size gets a mapping of its own. */
bool cw_pages_is_large(size_t size);

/* Such blocks; all but the first may be asked of any payload of the heap. NULL with errno when there is no memory. */
void *cw_pages_map(size_t alignment, size_t size);
bool cw_pages_is_mapped(const void *payload);
size_t cw_pages_mapped_size(const void *payload);
void *cw_pages_remap(void *payload, size_t size);
void cw_pages_unmap(void *payload);

#endif
