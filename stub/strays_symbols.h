/* The symbols of the machine's libraries in this process, by address. */
#ifndef CW_STRAYS_SYMBOLS_H
#define CW_STRAYS_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

void cw_symbols_open(void);
void cw_symbols_close(void);

/* Whether an address lies in one of these libraries. */
bool cw_symbols_is_outside(uint64_t address);

/* The symbol that has exactly this address, NULL when none has. */
const char *cw_symbol_at(uint64_t address);

/* Says where a word is that holds the address of something without a name. */
void cw_symbols_tell(const uint64_t *word);

#endif
