#define _GNU_SOURCE 1
#include "strays_symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "libraries.h"
#include "next.h"
#include "say.h"

#include "live.h"
#include "strays_classic.h"

enum { MOST_LIBRARIES = 64, MOST_SYMBOLS = 65536 };

struct symbol {
    uint64_t address;
    const char *name;
};

/* Not from the heap: what is looked through must not change meanwhile. */
static struct {
    uint64_t from, to;
    const char *name;
} libraries[MOST_LIBRARIES];
static size_t library_count;
static struct symbol *symbols;
static size_t symbol_count;

CW_NEXT(dl_iterate_phdr, int, int (*)(struct dl_phdr_info *, size_t, void *), void *)

/* The number of symbols of a library with a hash table of GNU's kind: the last one of the last chain. */
static uint32_t count_symbols(const uint32_t *hash)
{
    uint32_t buckets = hash[0], first = hash[1], words = hash[2];
    const uint32_t *bucket = hash + 4 + 2 * words, *chain = bucket + buckets;
    uint32_t last = 0;
    for (uint32_t n = 0; n < buckets; n++)
        if (bucket[n] > last)
            last = bucket[n];
    if (last < first)
        return first;
    while (!(chain[last - first] & 1))
        last++;
    return last + 1;
}

static void add_symbol(uint64_t base, const Elf64_Sym *symbol, const char *name)
{
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    if (!symbol->st_shndx || !symbol->st_value || symbol_count == MOST_SYMBOLS)
        return;
    if (type != STT_FUNC && type != STT_OBJECT && type != STT_GNU_IFUNC)
        return;
    uint64_t address = base + symbol->st_value;
    void *found = dlsym(RTLD_DEFAULT, name);
    /* Which of several versions is meant can't be told from an address: only what dlsym gives is sure to come again. */
    if (type != STT_GNU_IFUNC && (uint64_t)(uintptr_t)found != address)
        return;
    if (found)
        symbols[symbol_count++] = (struct symbol){(uint64_t)(uintptr_t)found, name};
}

static void add_symbols(const struct dl_phdr_info *info, const Elf64_Dyn *dynamic)
{
    const Elf64_Sym *table = NULL;
    const char *strings = NULL;
    const uint32_t *hash = NULL;
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_SYMTAB)
            table = (const void *)dynamic->d_un.d_ptr;
        else if (dynamic->d_tag == DT_STRTAB)
            strings = (const void *)dynamic->d_un.d_ptr;
        else if (dynamic->d_tag == DT_GNU_HASH)
            hash = (const void *)dynamic->d_un.d_ptr;
    }
    /* The kernel's own library keeps offsets where others have addresses. */
    if (!table || !strings || !hash || (uintptr_t)table < info->dlpi_addr)
        return;
    for (uint32_t n = 1, count = count_symbols(hash); n < count; n++)
        add_symbol(info->dlpi_addr, &table[n], strings + table[n].st_name);
}

static int add_library(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    uint64_t from = UINT64_MAX, to = 0;
    const Elf64_Dyn *dynamic = NULL;
    for (int n = 0; n < info->dlpi_phnum; n++) {
        const Elf64_Phdr *header = &info->dlpi_phdr[n];
        uint64_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_DYNAMIC)
            dynamic = (const void *)start;
        if (header->p_type != PT_LOAD)
            continue;
        from = start < from ? start : from;
        to = start + header->p_memsz > to ? start + header->p_memsz : to;
    }
    bool is_ours = to <= CW_REGION_END; /* the executable */
    if (is_ours || from >= to || library_count == MOST_LIBRARIES)
        return 0;
    libraries[library_count].name = info->dlpi_name;
    libraries[library_count].from = from;
    libraries[library_count++].to = to;
    if (dynamic)
        add_symbols(info, dynamic);
    return 0;
}

static void add_classic(void)
{
    const char *name;
    for (size_t n = 0; (name = cw_classic_name(n)) && symbol_count < MOST_SYMBOLS; n++)
        symbols[symbol_count++] = (struct symbol){cw_classic_address(name), name};
}

static int by_address(const void *a, const void *b)
{
    const struct symbol *one = a, *other = b;
    if (one->address != other->address)
        return one->address < other->address ? -1 : 1;
    return strcmp(one->name, other->name);
}

void cw_symbols_open(void)
{
    size_t size = MOST_SYMBOLS * sizeof *symbols;
    symbols = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    library_count = symbol_count = 0;
    if (symbols == MAP_FAILED)
        symbols = NULL;
    if (!symbols)
        return;
    add_classic();
    next_dl_iterate_phdr()(add_library, NULL);
    qsort(symbols, symbol_count, sizeof *symbols, by_address);
}

void cw_symbols_close(void)
{
    if (symbols)
        munmap(symbols, MOST_SYMBOLS * sizeof *symbols);
    symbols = NULL;
}

bool cw_symbols_is_outside(uint64_t address)
{
    for (size_t n = 0; n < library_count; n++)
        if (address >= libraries[n].from && address < libraries[n].to)
            return true;
    return false;
}

const char *cw_symbol_at(uint64_t address)
{
    size_t from = 0, to = symbol_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (symbols[middle].address < address)
            from = middle + 1;
        else
            to = middle;
    }
    return from < symbol_count && symbols[from].address == address ? symbols[from].name : NULL;
}

void cw_symbols_tell(const uint64_t *word)
{
    for (size_t n = 0; n < library_count; n++)
        if (*word >= libraries[n].from && *word < libraries[n].to) {
            char text[128];
            snprintf(text, sizeof text, "%p holds %#llx of ", (const void *)word,
                     (unsigned long long)(*word - libraries[n].from));
            cw_say("snapshot", "%s%s", text, libraries[n].name);
        }
}
