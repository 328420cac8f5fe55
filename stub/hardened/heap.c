/* Hardened products leave memory to the machine's malloc: its addresses are random, its checks are those that the
 * distribution keeps up to date, and a preloaded allocator takes its place as in any program. */
#include "heap.h"

void cw_heap_open(void)
{
}
