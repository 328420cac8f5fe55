#ifndef CW_XXH64_H
#define CW_XXH64_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 with seed 0, as xxHash's specification (doc/xxhash_spec.md, version 0.1.1) defines it. */
uint64_t cw_xxh64(const void *data, size_t size);

#endif
