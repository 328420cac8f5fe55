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
#include "natives.h"
#include "say.h"
#include "snapshot.h"
#include "strays_classic.h"
#include "strays_symbols.h"

enum { MOST = 4096, NAMES = 65536, MOST_HOLDERS = 32 };

/* Part of a snapshot: which word is the address of which symbol, or of something in the saved thread's storage. */
static struct {
    uint32_t count, names_size;
    bool is_full;
    uint64_t thread; /* where its descriptor was, which is also what pthread_self() gave */
    struct {
        uint64_t *word;
        uint32_t name; /* where it starts in `names`, or OF_THREAD */
    } items[MOST];
    char names[NAMES];
} strays;

static const uint32_t OF_THREAD = UINT32_MAX;

static size_t unknown;
static const struct cw_native *holders[MOST_HOLDERS];
static size_t holder_count;

void cw_strays_begin(void)
{
    memset(&strays, 0, sizeof strays);
    strays.thread = (uint64_t)(uintptr_t)__builtin_thread_pointer();
    unknown = holder_count = 0;
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

static void add(uint64_t *word, uint32_t name)
{
    if (strays.count == MOST) {
        strays.is_full = true;
        return;
    }
    strays.items[strays.count].word = word;
    strays.items[strays.count++].name = name;
}

static void add_unknown(const uint64_t *word)
{
    const struct cw_native *native = cw_native_at(word);
    bool is_known = holder_count == MOST_HOLDERS;
    for (size_t n = 0; n < holder_count; n++)
        is_known = is_known || holders[n] == native;
    if (native && !is_known)
        holders[holder_count++] = native;
    unknown += (uintptr_t)word < CW_REGION_END;
    if (cw_snapshot_wants_reason())
        cw_symbols_tell(word);
}

static void add_outside(uint64_t *word)
{
    const char *name = cw_symbol_at(*word);
    uint32_t at;
    if (!name)
        add_unknown(word);
    else if (add_name(name, &at))
        add(word, at);
    else
        strays.is_full = true;
}

void cw_strays_look(void *from, size_t size)
{
    uint64_t *words = from;
    uint64_t locals = (uint64_t)(uintptr_t)cw_local_extent().from;
    for (size_t n = 0; n < size / sizeof *words; n++)
        if (words[n] >= locals && words[n] <= strays.thread)
            add(&words[n], OF_THREAD);
        else if (cw_symbols_is_outside(words[n]))
            add_outside(&words[n]);
}

size_t cw_strays_end(void)
{
    cw_symbols_close();
    return strays.is_full ? SIZE_MAX : unknown;
}

const char *cw_strays_holder(size_t n)
{
    return n < holder_count ? holders[n]->map.l_name : NULL;
}

/* What was `before` in the storage of the thread that was saved is as far from this thread's descriptor. */
static uint64_t moved(uint64_t before, uint64_t thread)
{
    struct cw_extent locals = cw_local_extent();
    uint64_t size = (uint64_t)(locals.to - locals.from);
    bool is_local = before <= thread && thread - before <= size;
    return is_local ? (uint64_t)(uintptr_t)locals.to - (thread - before) : before;
}

static uint64_t address_of(const char *name)
{
    uint64_t address = cw_classic_address(name);
    return address ? address : (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, name);
}

const char *cw_strays_restore(void)
{
    const uint64_t thread = strays.thread;
    const char *last = NULL;
    uint64_t address = 0;
    for (uint32_t n = 0; n < strays.count; n++) {
        uint64_t *word = (uint64_t *)(uintptr_t)moved((uint64_t)(uintptr_t)strays.items[n].word, thread);
        if (strays.items[n].name == OF_THREAD) {
            *word = moved(*word, thread);
            continue;
        }
        const char *name = strays.names + strays.items[n].name;
        if (name != last)
            address = address_of(name);
        if (!address)
            return name;
        last = name;
        *word = address;
    }
    return NULL;
}
