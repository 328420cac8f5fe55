/* Types whose objects need no look, remembered during a walk over all objects. */
#ifndef CW_SEEN_H
#define CW_SEEN_H

#include <Python.h>

#include <stdint.h>

enum { CW_SEEN_BITS = 8 };

/* One type in each place; one that is put where another was makes that one be looked at again. */
struct cw_seen {
    const PyTypeObject *types[1 << CW_SEEN_BITS];
};

/* Where `type` is if it has been seen. */
static inline const PyTypeObject **cw_seen_place(struct cw_seen *seen, const PyTypeObject *type)
{
    uint64_t mixed = (uintptr_t)type * UINT64_C(0x9E3779B97F4A7C15);
    return &seen->types[mixed >> (64 - CW_SEEN_BITS)];
}

#endif
