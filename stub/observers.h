/* Whether anything in the program would notice that objects end, or that they do not. */
#ifndef CW_OBSERVERS_H
#define CW_OBSERVERS_H

#include <stdbool.h>

/* Whether any object that the collector knows does something when it ends, or is watched by something that does. */
bool cw_has_observed_objects(void);

#endif
