/* Objects at whose end code of the program runs. */
#ifndef CW_FINALIZERS_H
#define CW_FINALIZERS_H

/* How many objects with a `__del__` in Python were found by this and earlier calls, each of which looks at what is new
 * and has the collector leave it alone from then on. For a process that is watched and thrown away. -1 with an
 * exception set. */
long cw_count_finalizers(void);

#endif
