#define _GNU_SOURCE 1
#include "strays.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gates.h"
#include "libraries.h"
#include "say.h"
#include "strays_classic.h"
#include "strays_symbols.h"

enum { MOST = 4096, NAMES = 65536 };

/* Part of a snapshot: which word is the address of which symbol. */
static struct {
    uint32_t count, names_size;
    bool is_full;
    struct {
        uint64_t *word;
        uint32_t name; /* where it starts in `names` */
    } items[MOST];
    char names[NAMES];
} strays;

static size_t unknown;

void cw_strays_begin(void)
{
    memset(&strays, 0, sizeof strays);
    unknown = 0;
    cw_symbols_open();
}

static bool add_name(const char *name, uint32_t *at)
{
    size_t size = strlen(name) + 1;
    for (*at = 0; *at < strays.names_size; *at += (uint32_t)strlen(strays.names + *at) + 1)
        if (strcmp(strays.names + *at, name) == 0)
            return true;
    if (size > NAMES - strays.names_size)
        return false;
    memcpy(strays.names + strays.names_size, name, size);
    strays.names_size += (uint32_t)size;
    return true;
}

static void add(uint64_t *word)
{
    const char *name = cw_symbol_at(*word);
    if (!name) {
        unknown += (uintptr_t)word < CW_REGION_END;
        if (cw_snapshot_wants_reason())
            cw_symbols_tell(word);
        return;
    }
    if (strays.count == MOST || !add_name(name, &strays.items[strays.count].name))
        strays.is_full = true;
    else
        strays.items[strays.count++].word = word;
}

void cw_strays_look(void *from, size_t size)
{
    uint64_t *words = from;
    for (size_t n = 0; n < size / sizeof *words; n++)
        if (cw_symbols_is_outside(words[n]))
            add(&words[n]);
}

size_t cw_strays_end(void)
{
    cw_symbols_close();
    return strays.is_full ? SIZE_MAX : unknown;
}

static uint64_t address_of(const char *name)
{
    uint64_t address = cw_classic_address(name);
    return address ? address : (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, name);
}

const char *cw_strays_restore(void)
{
    const char *last = NULL;
    uint64_t address = 0;
    for (uint32_t n = 0; n < strays.count; n++) {
        const char *name = strays.names + strays.items[n].name;
        if (name != last)
            address = address_of(name);
        if (!address)
            return name;
        last = name;
        *strays.items[n].word = address;
    }
    return NULL;
}
