/* Texts that other programs get to see: paths of the product in them become real paths. */
#ifndef CW_REWRITE_H
#define CW_REWRITE_H

#include <stdbool.h>
#include <stddef.h>

/* Memory for texts and arrays, given by the caller: no heap, as this runs in children of vfork(). */
struct cw_arena {
    char *at;
    size_t left;
    bool full; /* something did not fit */
};

/* Room for `size` bytes, aligned for pointers; NULL (and `full`) when there is none. */
void *cw_arena_take(struct cw_arena *arena, size_t size);

/* Whether any of the texts in a NULL-terminated array names a path of the product. */
bool cw_names_ours(char *const *texts);

/* `text` with all paths of the product in it replaced by real ones, which are unpacked: files, libraries with
 * those they need, directories with everything below. Returns `text` itself when there is nothing to replace,
 * NULL when the arena is full. */
const char *cw_rewrite(struct cw_arena *arena, const char *text);

/* The same for a NULL-terminated array; it may be NULL. */
char *const *cw_rewrite_all(struct cw_arena *arena, char *const *texts);

#endif
