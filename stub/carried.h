/* Copies of libraries that nearly every machine has (libstdc++ and the like), for the others.
 *
 * A process can have only one library of a name. The machine's own is the one to take where it is as new as the copy:
 * libraries of the machine that the program loads later may need what only that one has. */
#ifndef CW_CARRIED_H
#define CW_CARRIED_H

#include <stdbool.h>

#include "image.h"

/* Whether `node` is such a copy. */
bool cw_is_carried(const struct cw_node *node);

/* Whether the machine lacks the library that `node` is a copy of, or has an older one. */
bool cw_carried_is_newer(const struct cw_node *node);

#endif
