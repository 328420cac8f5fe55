/* What a process reads of its own mappings: prelinked libraries are mapped from the executable, and the kernel says so;
 * programs that look for a loaded library among them (threadpoolctl for one) find it by its own path. */
#ifndef CW_MAPS_H
#define CW_MAPS_H

#include <stdbool.h>

/* Whether a path is that of this process's mappings, and there are libraries to be named in them. */
bool cw_is_own_maps(const char *path);

/* Opens such a file as it should be, for reading; a descriptor, or a negated errno. */
int cw_open_maps(const char *path, int flags);

#endif
