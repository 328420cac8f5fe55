/* The mark that a directory of unpacked files is in use. */
#ifndef CW_USED_H
#define CW_USED_H

#include "cache.h"

/* Makes the mark in a new directory. */
void cw_used_make(int app);

/* Makes the mark in an open directory new, if it is older than a day. */
void cw_used_touch(int app);

/* Holds the mark of `store` for the life of this process (and of its children by fork), once. Makes the
 * directory again if somebody is just removing it. */
void cw_used_hold(struct cw_store *store);

/* Makes the mark of `store` new, once, without holding it. */
void cw_used_refresh(struct cw_store *store);

#endif
