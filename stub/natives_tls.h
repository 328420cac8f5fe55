/* Thread-local storage of prelinked libraries: a block for each thread and library, made when it is first used. */
#ifndef CW_NATIVES_TLS_H
#define CW_NATIVES_TLS_H

#include <stdint.h>

/* What the code of a library asks with. */
struct cw_tls_index {
    unsigned long module;
    unsigned long offset;
};

/* The address of `offset` in the calling thread's storage of a library. */
void *cw_tls_address(unsigned long module, unsigned long offset);

/* The calling thread's table of blocks, for a process that is saved, and back into one that was restored. */
void cw_tls_save(void);
void cw_tls_restore(void);

#endif
