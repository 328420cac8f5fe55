/* The way out for a process that can't go on from a snapshot, and has become it in part: the program is executed again,
 * and starts the ordinary way. */
#ifndef CW_AGAIN_H
#define CW_AGAIN_H

/* Notes what the program was called with, and removes from the environment what an earlier try has left there. */
void cw_again_open(char **argv);

/* Why an earlier try of this process could not go on from its snapshot; NULL when there was none. */
const char *cw_again_reason(void);

/* Executes the program again. Uses no memory but the stack, and returns only where the kernel refuses. */
void cw_again(const char *reason);

#endif
