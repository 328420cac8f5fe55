/* For tests: the decoder of the system's libzstd, which needs no headers to be installed. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <stdint.h>

#include "unpack.h"

bool cw_zstd_decode(void *to, size_t raw, const void *from, size_t stored)
{
    static size_t (*decode)(void *, size_t, const void *, size_t);
    if (!decode) {
        void *library = dlopen("libzstd.so.1", RTLD_NOW);
        decode = (size_t(*)(void *, size_t, const void *, size_t))(uintptr_t)dlsym(library, "ZSTD_decompress");
    }
    return decode(to, raw, from, stored) == raw;
}
