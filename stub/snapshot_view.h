/* A snapshot's file, looked at by a process that may go on with it. */
#ifndef CW_SNAPSHOT_VIEW_H
#define CW_SNAPSHOT_VIEW_H

#include <stddef.h>

#include "snapshot.h"

/* A snapshot as it lies in its file, mapped read-only, and a copy of what comes before the ranges' bytes: what is used
 * is what was checked, whoever writes to the file meanwhile. */
struct cw_view {
    const char *base;
    const struct cw_snapshot_head *head;
    const struct cw_snapshot_range *ranges;
    const char *locals, *gates;
    _Alignas(struct cw_snapshot_head) char start[CW_SNAPSHOT_ROOM];
};

/* Returns NULL or what is wrong with it. */
const char *cw_view_open(struct cw_view *view, struct cw_bytes snapshot, enum cw_origin origin);

/* Whether a variable is set that was not when the modules in the snapshot looked at it. */
bool cw_view_is_gated(const struct cw_view *view);

/* The range of the executable's data; NULL when there is none. */
const struct cw_snapshot_range *cw_view_data(const struct cw_view *view);

/* Whether a range holds variables of prelinked libraries; whether any does. */
bool cw_range_is_native(const struct cw_snapshot_range *range);
bool cw_view_has_natives(const struct cw_view *view);

/* Calls `visit` for the pages of the working set where they belong, run by run. It is taken for a hint: what does not
 * lie in a range ends it. */
void cw_view_each_run(const struct cw_view *view, void (*visit)(char *at, size_t size));

#endif
