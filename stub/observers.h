/* Whether anything in the program would notice that objects end, or that they do not. */
#ifndef CW_OBSERVERS_H
#define CW_OBSERVERS_H

#include <stdbool.h>

/* Whether any object that the collector knows does something when it ends, or is watched by something that does.
 * `only_new`: what is frozen, as a snapshot's objects are, does not count. */
bool cw_has_observed_objects(bool only_new);

/* Runs the finalizers of all objects that have not been run, while what they use is still there. */
void cw_finalize_observed(void);

#endif
