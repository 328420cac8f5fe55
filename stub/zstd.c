#define _GNU_SOURCE 1
#define ZSTD_STATIC_LINKING_ONLY 1 /* a context in memory that we choose */
#include <sys/mman.h>
#include <zstd.h>

#include "unpack.h"

bool cw_zstd_decode(void *to, size_t raw, const void *from, size_t stored)
{
    size_t size = ZSTD_estimateDCtxSize();
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return false;
    ZSTD_DCtx *context = ZSTD_initStaticDCtx(room, size);
    bool good = context && ZSTD_decompressDCtx(context, to, raw, from, stored) == raw;
    munmap(room, size);
    return good;
}
