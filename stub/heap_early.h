/* Memory for what libc, the loader and preloaded libraries ask for before `main`: never given back. */
#ifndef CW_HEAP_EARLY_H
#define CW_HEAP_EARLY_H

#include <stdbool.h>
#include <stddef.h>

/* `size` bytes, zero, at an alignment; NULL with errno when there is no memory. */
void *cw_early_take(size_t alignment, size_t size);

bool cw_early_owns(const void *payload);

size_t cw_early_size(const void *payload);

#endif
