/* The working set of a snapshot: the pages that every start writes to, and those that it reads and whose neighbours it
 * does not. All of them are had at once, by a write, right after the snapshot has been mapped. That takes less time
 * than here and there while the program runs; and for a page that is read first the kernel maps those around it as
 * well, 64 KiB where there was need for one.
 *
 * Which pages these are is learned when the snapshot is tried (`coachwhip/snapshot/working_set.py`).
 */
#ifndef CW_WORKING_SET_H
#define CW_WORKING_SET_H

#include "snapshot_view.h"

/* Where the environment's COACHWHIP_WORKING_SET names a file: writes to it, when the program ends, which pages of the
 * snapshot it has touched: 32-bit numbers, counted from the snapshot's start, with the highest bit set where a page was
 * written to. To be called before the pages are where they belong. */
void cw_working_set_watch(const struct cw_view *view);

/* Has a part of the snapshot, which is mapped now, touched page by page, if this start is watched. */
void cw_working_set_part(char *at, size_t size);

/* Makes the working set this process's own, unless the start is watched. */
void cw_working_set_load(const struct cw_view *view);

#endif
