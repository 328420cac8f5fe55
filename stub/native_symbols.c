#include "native_symbols.h"

#include <string.h>

#include "natives_tls.h"

static const void *at(uint64_t address)
{
    return (const void *)(uintptr_t)address;
}

/* Compares a text of the string table, which need not end where it should. */
static bool is_text(const struct cw_library *library, uint64_t offset, const char *text)
{
    const char *strings = at(library->strings);
    size_t size = strlen(text) + 1;
    return offset < library->strings_size && size <= library->strings_size - offset &&
           memcmp(strings + offset, text, size) == 0;
}

const char *cw_native_symbol_name(const struct cw_library *library, const Elf64_Sym *symbol)
{
    const char *strings = at(library->strings);
    uint64_t offset = symbol->st_name;
    if (offset >= library->strings_size || !memchr(strings + offset, '\0', library->strings_size - offset))
        return "";
    return strings + offset;
}

static bool is_defined(const Elf64_Sym *symbol)
{
    unsigned binding = ELF64_ST_BIND(symbol->st_info), type = ELF64_ST_TYPE(symbol->st_info);
    if (symbol->st_shndx == SHN_UNDEF || binding == STB_LOCAL)
        return false;
    return symbol->st_value != 0 || symbol->st_shndx == SHN_ABS || type == STT_TLS;
}

/* The name of version `index` of those that the library defines. */
static bool is_version(const struct cw_library *library, unsigned index, const char *version)
{
    uint64_t place = library->definitions;
    for (unsigned tries = 0; place && tries < 0x8000; tries++) {
        const Elf64_Verdef *entry = at(place);
        uint64_t name = place + entry->vd_aux;
        if ((entry->vd_ndx & 0x7fffu) == index && cw_library_has(library, name, sizeof(Elf64_Verdaux)))
            return is_text(library, ((const Elf64_Verdaux *)at(name))->vda_name, version);
        if (entry->vd_next == 0 || !cw_library_has(library, place + entry->vd_next, sizeof *entry))
            return false;
        place += entry->vd_next;
    }
    return false;
}

static bool fits_version(const struct cw_library *library, uint32_t number, const char *version)
{
    if (!library->versions)
        return true;
    unsigned value = ((const uint16_t *)at(library->versions))[number];
    if (!version)
        return !(value & 0x8000u);
    return is_version(library, value & 0x7fffu, version) || value == 1;
}

static const Elf64_Sym *fitting(const struct cw_library *library, uint32_t number, const char *name,
                                const char *version)
{
    const Elf64_Sym *symbol = (const Elf64_Sym *)at(library->symbols) + number;
    if (!is_defined(symbol) || !is_text(library, symbol->st_name, name) ||
        !fits_version(library, number, version))
        return NULL;
    return symbol;
}

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 5381;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        hash = hash * 33 + *c;
    return hash;
}

struct gnu_hash {
    uint32_t bucket_count, first, bloom_count, bloom_shift;
};

static const Elf64_Sym *find_in_hash(const struct cw_library *library, const char *name, const char *version)
{
    const struct gnu_hash *table = at(library->hash);
    uint64_t buckets = library->hash + sizeof *table + 8ull * table->bloom_count;
    uint64_t chains = buckets + 4ull * table->bucket_count;
    if (table->bucket_count == 0 || table->first > library->symbol_count ||
        !cw_library_has(library, buckets, chains - buckets + 4ull * (library->symbol_count - table->first)))
        return NULL;
    uint32_t hash = hash_of(name);
    const uint32_t *chain = at(chains);
    uint32_t number = ((const uint32_t *)at(buckets))[hash % table->bucket_count];
    if (number < table->first)
        return NULL;
    for (; number < library->symbol_count; number++) {
        uint32_t link = chain[number - table->first];
        const Elf64_Sym *found = (link | 1) == (hash | 1) ? fitting(library, number, name, version) : NULL;
        if (found || link & 1)
            return found;
    }
    return NULL;
}

const Elf64_Sym *cw_native_find(const struct cw_library *library, const char *name, const char *version)
{
    if (!library->symbols || !library->strings)
        return NULL;
    if (library->hash)
        return find_in_hash(library, name, version);
    const Elf64_Sym *found = NULL;
    for (uint32_t number = 0; number < library->symbol_count && !found; number++)
        found = fitting(library, number, name, version);
    return found;
}

void *cw_native_address(const struct cw_library *library, const Elf64_Sym *symbol)
{
    if (ELF64_ST_TYPE(symbol->st_info) == STT_TLS)
        return cw_tls_address(library->tls_module, symbol->st_value);
    uint64_t base = symbol->st_shndx == SHN_ABS ? 0 : library->base;
    void *address = (void *)(uintptr_t)(base + symbol->st_value);
    if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC)
        return ((void *(*)(void))(uintptr_t)address)();
    return address;
}

const Elf64_Sym *cw_native_nearest(const struct cw_library *library, uint64_t address)
{
    const Elf64_Sym *symbols = at(library->symbols), *best = NULL;
    uint64_t wanted = address - library->base;
    for (uint32_t n = 0; symbols && n < library->symbol_count; n++) {
        const Elf64_Sym *symbol = &symbols[n];
        if (!is_defined(symbol) || ELF64_ST_TYPE(symbol->st_info) == STT_TLS || symbol->st_value > wanted)
            continue;
        bool inside = symbol->st_size == 0 || wanted - symbol->st_value < symbol->st_size;
        if (inside && (!best || symbol->st_value > best->st_value))
            best = symbol;
    }
    return best;
}
