/* Files of the image as real files. */
#ifndef CW_UNPACK_H
#define CW_UNPACK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "cache.h"
#include "image.h"

/* Decompresses exactly `raw` bytes; false when the data is damaged. Needs no heap. */
bool cw_zstd_decode(void *to, size_t raw, const void *from, size_t stored);

/* How much of a node is to be real. Bits, so that a store can keep what it has done. */
enum cw_scope {
    CW_ONE = 1,     /* the file; of a directory only itself */
    CW_LISTING = 2, /* a directory and what a listing of it shows */
    CW_TREE = 4,    /* a directory and everything below it */
    CW_CLOSURE = 8, /* a native library and those of the product that it needs */
};

/* The scope in which nothing is missing that may be asked for next. */
enum cw_scope cw_whole(const struct cw_node *node);

/* Makes `node` real, where files can be executed if its scope or kind asks for that, and holds the store's
 * mark. Writes its absolute path to `real`. Returns 0 or a negated errno. */
int cw_unpack(const struct cw_node *node, enum cw_scope scope, char real[PATH_MAX]);

/* The same for a program that is about to be started: the mark is only made new, since in a child of vfork()
 * a descriptor would be the child's, but what this process knows of it is also its parent's. `*runs` tells
 * whether files there can be executed; it may be NULL. */
int cw_unpack_for_program(const struct cw_node *node, enum cw_scope scope, char real[PATH_MAX], bool *runs);

/* Makes the interpreter a link `bin/NAME` among the unpacked files; as cw_unpack_for_program. */
int cw_unpack_self(const char *below, char real[PATH_MAX]);

/* Makes the file, or the whole directory, at a path below the app root real and writes its absolute path to
 * `real`. Returns 0 or a negated errno. */
int cw_unpack_tree(const char *virtual_path, char *real, size_t size);

/* Opens the file `node` for reading with these open(2) flags: the unpacked one or, where there can't be
 * one, a copy in memory. Returns a descriptor or a negated errno. */
int cw_open_node(const struct cw_node *node, int flags);

/* The same, but a small file that is no library is always copied into memory: that takes no directory, and less time
 * than to unpack it. */
int cw_open_copy(const struct cw_node *node, int flags);

/* Makes the listing of the directory `node` real and opens it; as cw_open_node, but never in memory. */
int cw_open_directory(const struct cw_node *node, int flags);

/* A sealed copy of `node` in memory, executable if `runs`. Returns a descriptor or a negated errno. */
int cw_memory_file(const struct cw_node *node, bool runs);

#endif
