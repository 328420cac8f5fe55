/* Tools that run the program on a processor of their own. */
#ifndef CW_INSTRUMENTED_H
#define CW_INSTRUMENTED_H

#include <stdbool.h>

/* Whether a tool like memcheck has put its own malloc in the place of ours, which knows nothing of memory that a
 * snapshot brings. */
bool cw_malloc_is_replaced(void);

#endif
