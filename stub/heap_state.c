#include "heap_state.h"

/* Apart from heap.c, whose variables are not part of snapshots. */
struct cw_heap_state cw_heap;
