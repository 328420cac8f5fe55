/* The program's state at a snapshot: how it gets there, and what is made new in a process that goes on from it. */
#ifndef CW_RESUME_H
#define CW_RESUME_H

#include "image.h"
#include "snapshot.h"
#include "start.h"

/* Saves the interpreter, as it is now, to a file, with the names of variables that must not be set for it to go on,
 * each with a NUL. Returns NULL or what went wrong. */
const char *cw_suspend(int fd, enum cw_origin origin, struct cw_bytes gates);

/* Makes the interpreter of a snapshot that of this process. Does not return when that fails. */
void cw_resume(const struct cw_start *start);

#endif
