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

/* In a process that was restored, after the executable's thread-locals, its storage among them, and the thread keys:
 * has the calling thread's blocks freed when it ends. */
void cw_tls_restore(void);

#endif
