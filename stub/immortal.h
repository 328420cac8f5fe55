/* The lasting parts of a program in a snapshot. */
#ifndef CW_IMMORTAL_H
#define CW_IMMORTAL_H

/* Makes all code, classes, modules and constants immortal (PEP 683): their reference counts are never written again, so
 * that the pages they are in stay shared with the file and with other processes. */
void cw_make_immortal(void);

#endif
