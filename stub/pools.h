/* The pools of CPython's small objects (Include/internal/pycore_obmalloc.h). */
#ifndef CW_POOLS_H
#define CW_POOLS_H

/* Has new objects come from pools of their own, and not from what is free between those that exist: every page with a
 * gap would be read and copied for it. What is free there stays so until the pool is empty, or something in it is
 * freed. */
void cw_pools_close(void);

#endif
