/* Native libraries without any file system that files can be executed from. */
#ifndef CW_MEMORY_LIBRARY_H
#define CW_MEMORY_LIBRARY_H

#include "image.h"

/* Loads `node`, after the libraries of the product that it needs, carried ones left out, from anonymous files.
 * `loader` is dlopen.
 * Returns its handle; NULL with a negated errno in *fault, or with 0 there when the loader failed. */
void *cw_load_from_memory(const struct cw_node *node, int mode, void *(*loader)(const char *, int), int *fault);

#endif
