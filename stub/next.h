/* The definition of a wrapped libc function that would have been used without us: the next one in the
 * loader's order, so that preloaded libraries (fakeroot, ...) stay in force. Looked up when first needed. */
#ifndef CW_NEXT_H
#define CW_NEXT_H

#include <stdint.h>

/* A sanitizer calls dl_iterate_phdr, and with it what looks the next one up, before it can check memory. */
#define CW_EARLY __attribute__((no_sanitize("address")))

/* Looks `name` up once and keeps it in `kept`; a libc that has none is stood in for by `fallback`. */
void *cw_next(void *_Atomic *kept, const char *name, void *fallback);

/* Declares next_NAME(), which returns the function. CW_NEXT_OR is for functions that old libcs lack. */
#define CW_NEXT(name, result, ...) CW_NEXT_OR(name, 0, result, __VA_ARGS__)
#define CW_NEXT_OR(name, fallback, result, ...)                                                              \
    typedef result name##_type(__VA_ARGS__);                                                                 \
    CW_EARLY static inline name##_type *next_##name(void)                                                             \
    {                                                                                                        \
        static void *_Atomic kept;                                                                           \
        return (name##_type *)(uintptr_t)cw_next(&kept, #name, (void *)(uintptr_t)(fallback));               \
    }

/* Defines a C function under the name of a libc function, which its libc header may declare otherwise. */
#define CW_EXPORT(name) __asm__(#name) __attribute__((visibility("default")))

#endif
