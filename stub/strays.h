/* Addresses of the machine's libraries in a program's memory. They are other ones in every process, so that a snapshot
 * must know where they are. */
#ifndef CW_STRAYS_H
#define CW_STRAYS_H

#include <stddef.h>

/* Looks through a part of memory that is about to be saved, and notes what it finds. */
void cw_strays_begin(void);
void cw_strays_look(void *from, size_t size);

/* How many addresses were found that no symbol has, in the variables of the executable and of prelinked libraries. In
 * the heap there may be some: what the system's loader has kept there, and what is left in memory that is free. */
size_t cw_strays_end(void);

/* The path of the n-th prelinked library that has such an address, NULL when there are no more. */
const char *cw_strays_holder(size_t n);

/* Writes this process's addresses to where the others are. Returns NULL, or the symbol that there is none of. */
const char *cw_strays_restore(void);

#endif
