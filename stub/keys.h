/* Keys of thread-specific data: what libpython and its libraries hold are numbers of ours, which stay right when a
 * later process goes on from a snapshot and libc gives it other keys. */
#ifndef CW_KEYS_H
#define CW_KEYS_H

/* Notes the calling thread's values, for a snapshot. */
void cw_keys_save(void);

/* Makes the keys of a snapshot anew, with the values that its thread had. Returns 0 or an errno. */
int cw_keys_restore(void);

#endif
