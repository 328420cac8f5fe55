/* Ctrl-C while the program starts. */
#ifndef CW_INTERRUPTS_H
#define CW_INTERRUPTS_H

/* From here on SIGINT does what it does in Python. Until then it ends the process without a word, as it ends one
 * that is not Python's: there is no code of the app yet that could handle a KeyboardInterrupt, and a traceback would
 * show the inside of the start. Called when an interpreter is up, with the GIL held. */
void cw_allow_interrupts(void);

#endif
