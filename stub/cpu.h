/* What the processor can do, as far as native libraries choose their code by it. */
#ifndef CW_CPU_H
#define CW_CPU_H

#include <stdbool.h>
#include <stdint.h>

enum { CW_CPU_WORDS = 6 };

void cw_cpu_read(uint32_t words[CW_CPU_WORDS]);

/* Whether this processor can do all that `words` say. */
bool cw_cpu_has(const uint32_t words[CW_CPU_WORDS]);

#endif
