/* What prelinked libraries have registered for fork(): a process that goes on from a snapshot is like a child. */
#ifndef CW_FORKS_H
#define CW_FORKS_H

/* pthread_atfork, remembered. Returns 0 or an errno. */
int cw_forks_register(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/* Before a snapshot: what is to be done before a fork. */
void cw_forks_prepare(void);

/* In a process that goes on: registers everything again, and does what is to be done in a child. 0 or an errno. */
int cw_forks_restore(void);

#endif
