#define _GNU_SOURCE 1
#include "strays_classic.h"

#include <locale.h>
#include <string.h>
#include <wctype.h>

/* A class or a mapping of characters begins with this. */
#define CLASS "C class "
#define MAPPING "C mapping "

/* clang-format off */
static const char *const names[] = {
    "C locale", "C flags", "C lower", "C upper",
    CLASS "alnum", CLASS "alpha", CLASS "blank", CLASS "cntrl", CLASS "digit", CLASS "graph",
    CLASS "lower", CLASS "print", CLASS "punct", CLASS "space", CLASS "upper", CLASS "xdigit",
    MAPPING "tolower", MAPPING "toupper",
};
/* clang-format on */

const char *cw_classic_name(size_t n)
{
    return n < sizeof names / sizeof *names ? names[n] : NULL;
}

static const char *after(const char *name, const char *beginning)
{
    size_t size = strlen(beginning);
    return strncmp(name, beginning, size) == 0 ? name + size : NULL;
}

uint64_t cw_classic_address(const char *name)
{
    /* Of this locale libc has one object, which is never freed. */
    locale_t classic = newlocale(LC_ALL_MASK, "C", NULL);
    if (!classic)
        return 0;
    if (strcmp(name, "C locale") == 0)
        return (uintptr_t)classic;
    if (strcmp(name, "C flags") == 0)
        return (uintptr_t)classic->__ctype_b;
    if (strcmp(name, "C lower") == 0)
        return (uintptr_t)classic->__ctype_tolower;
    if (strcmp(name, "C upper") == 0)
        return (uintptr_t)classic->__ctype_toupper;
    if (after(name, CLASS))
        return wctype_l(after(name, CLASS), classic);
    return after(name, MAPPING) ? (uintptr_t)wctrans_l(after(name, MAPPING), classic) : 0;
}
