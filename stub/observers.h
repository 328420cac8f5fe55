/* Whether anything in the program would notice that objects end, or that they do not. */
#ifndef CW_OBSERVERS_H
#define CW_OBSERVERS_H

#include <stdbool.h>

/* Whether any object that the collector knows does something when it ends, or is watched by something that does. */
bool cw_has_observed_objects(void);

/* The same, looking only at objects that are not frozen. */
bool cw_has_new_observed_objects(void);

/* Whether an extension module was loaded from a library: its objects may do something that can't be seen from here,
 * and many of them the collector does not even know. */
bool cw_has_foreign_objects(void);

/* Runs the finalizers of all objects that have not been run, while what they use is still there. */
void cw_finalize_observed(void);

#endif
