/* Memory at addresses that are known beforehand. */
#ifndef CW_FIXED_H
#define CW_FIXED_H

#include <stddef.h>

/* Maps `size` bytes that read as zero exactly at `address`, unless something is there already. `flags` are those of
 * mmap(2) beside MAP_PRIVATE and MAP_ANONYMOUS. Returns 0 or a negated errno: EEXIST when the addresses are taken. */
int cw_map_fixed(void *address, size_t size, int protection, int flags);

#endif
