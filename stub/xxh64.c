#include "xxh64.h"

#include <string.h>

#include "live.h"

static const uint64_t P1 = 0x9E3779B185EBCA87ull;
static const uint64_t P2 = 0xC2B2AE3D27D4EB4Full;
static const uint64_t P3 = 0x165667B19E3779F9ull;
static const uint64_t P4 = 0x85EBCA77C2B2AE63ull;
static const uint64_t P5 = 0x27D4EB2F165667C5ull;

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t read64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static uint64_t read32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static uint64_t mix(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * P2, 31) * P1;
}

static uint64_t merge(uint64_t hash, uint64_t lane)
{
    return (hash ^ mix(0, lane)) * P1 + P4;
}

/* The four lanes over whole 32-byte stripes; the part that decides the speed. */
static uint64_t stripes(const uint8_t **at, size_t count)
{
    uint64_t a = P1 + P2, b = P2, c = 0, d = 0 - P1;
    const uint8_t *p = *at;
    for (; count; count--, p += 32) {
        a = mix(a, read64(p));
        b = mix(b, read64(p + 8));
        c = mix(c, read64(p + 16));
        d = mix(d, read64(p + 24));
    }
    *at = p;
    uint64_t hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    return merge(merge(merge(merge(hash, a), b), c), d);
}

uint64_t cw_xxh64(const void *data, size_t size)
{
    const uint8_t *p = data;
    size_t rest = size % 32;
    uint64_t hash = size >= 32 ? stripes(&p, size / 32) : P5;
    hash += size;
    for (; rest >= 8; rest -= 8, p += 8)
        hash = rotate(hash ^ mix(0, read64(p)), 27) * P1 + P4;
    if (rest >= 4) {
        hash = rotate(hash ^ read32(p) * P1, 23) * P2 + P3;
        rest -= 4;
        p += 4;
    }
    for (; rest; rest--, p++)
        hash = rotate(hash ^ *p * P5, 11) * P1;
    hash = (hash ^ hash >> 33) * P2;
    hash = (hash ^ hash >> 29) * P3;
    return hash ^ hash >> 32;
}
