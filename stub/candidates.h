/* Where a directory for unpacked files could be, in the order in which they are tried. */
#ifndef CW_CANDIDATES_H
#define CW_CANDIDATES_H

#include <limits.h>
#include <stdbool.h>

enum { CW_CANDIDATES = 6 };

/* How far nobody but the user and root must be able to change the way to a directory. */
enum cw_trust {
    CW_CHOSEN,   /* it was asked for: no questions */
    CW_SHARED,   /* `parent` itself */
    CW_PERSONAL, /* `parent` and the directory that it is in */
};

/* `owned` below `parent` must be the user's alone ("" if there is no such level); the product's directory comes
 * below that. */
struct cw_candidate {
    char parent[PATH_MAX];
    char owned[64];
    enum cw_trust trust;
    bool create; /* make what leads to `parent`, too */
};

/* Fills in candidate `index`; false when this process has none at that place. */
bool cw_candidate(unsigned index, struct cw_candidate *out);

/* Opens the last directory of a candidate, making what is missing. Returns a descriptor or a negated errno:
 * EPERM when somebody else could change what is in it. */
int cw_candidate_open(const struct cw_candidate *candidate);

/* Opens directory `name` in `parent`, made if it is missing (then *made is set): it must be the user's own,
 * no link, and writable by nobody else. Returns a descriptor or a negated errno. */
int cw_open_private(int parent, const char *name, bool *made);

#endif
