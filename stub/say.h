#ifndef CW_SAY_H
#define CW_SAY_H

/* Writes one line "NAME: text" to standard error, NAME being the last part of `path`. The format knows %s
 * and %% only. No memory is allocated, so that this works anywhere, a signal handler included. */
__attribute__((format(printf, 2, 3))) void cw_say(const char *path, const char *format, ...);

/* The same, then ends the process with `status`, without running exit handlers. */
__attribute__((noreturn, format(printf, 3, 4))) void cw_die(int status, const char *path, const char *format,
                                                            ...);

#endif
