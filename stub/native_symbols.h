/* The symbols of one prelinked library, read from its own tables. */
#ifndef CW_NATIVE_SYMBOLS_H
#define CW_NATIVE_SYMBOLS_H

#include <elf.h>

#include "libraries.h"

/* The definition of a name; with `version` NULL that for references without one. NULL when there is none. */
const Elf64_Sym *cw_native_find(const struct cw_library *library, const char *name, const char *version);

/* Its address in the calling thread: of the function that a resolver chooses, of the thread's variable. */
void *cw_native_address(const struct cw_library *library, const Elf64_Sym *symbol);

/* The symbol that an address belongs to, or the nearest one before it; NULL. */
const Elf64_Sym *cw_native_nearest(const struct cw_library *library, uint64_t address);

/* The symbol's name; "" when it is damaged. */
const char *cw_native_symbol_name(const struct cw_library *library, const Elf64_Sym *symbol);

#endif
