/* `APP --coachwhip-bake`: a snapshot for this machine and user. */
#ifndef CW_REBAKE_H
#define CW_REBAKE_H

#include "start.h"

/* Makes it, or removes it (`--coachwhip-bake=remove`), and ends the process, when the only argument asks for it and the
 * product's settings allow it. */
void cw_rebake_if_asked(const struct cw_start *start);

#endif
