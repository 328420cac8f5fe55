/* Directories of products that have not been used for a long time go away when another one is made. */
#ifndef CW_PRUNE_H
#define CW_PRUNE_H

/* Days without use after which a directory is removed. */
enum { CW_PRUNE_DAYS = 30 };

/* Removes outdated neighbours of `own` in the directory `parent`, for a fifth of a second at most: what is
 * left is for the next time. */
void cw_prune(int parent, const char *own);

#endif
