#ifndef CW_CLOCK_H
#define CW_CLOCK_H

/* How often the time of day was asked for. */
unsigned long cw_clock_reads(void);

#endif
