/* Addresses in libc that no symbol has but that functions return: those of the C locale. iostreams of C++ keep them. */
#ifndef CW_STRAYS_CLASSIC_H
#define CW_STRAYS_CLASSIC_H

#include <stddef.h>
#include <stdint.h>

/* The name of one of them, NULL when there are no more. No symbol has such a name. */
const char *cw_classic_name(size_t n);

/* Its address in this process; 0 when there is none. */
uint64_t cw_classic_address(const char *name);

#endif
