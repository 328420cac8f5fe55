/* Which environment variables native code asks for, while modules are watched. */
#ifndef CW_VARIABLES_H
#define CW_VARIABLES_H

#include <stdbool.h>

/* Notes a name, if anybody wants to know. */
void cw_variables_note(const char *name);

/* From now on names are noted. */
void cw_variables_watch(void);
bool cw_variables_are_watched(void);

/* The names since the last call, each followed by a newline; forgets them. Valid until the next note. */
const char *cw_variables_take(void);

#endif
