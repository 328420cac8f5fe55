/* Messages for dlerror. */
#ifndef CW_DL_ERROR_H
#define CW_DL_ERROR_H

/* Sets what the next dlerror() of this thread says, in four parts; returns NULL. */
void *cw_dl_fail(const char *path, const char *why, const char *more, const char *last);

/* Forgets it: the system's loader is asked next, whose message counts. */
void cw_dl_forget(void);

#endif
