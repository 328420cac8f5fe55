/* What is left of binding when a library is loaded: symbols of the outside. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "dl_error.h"
#include "native_symbols.h"
#include "natives.h"
#include "next.h"
#include "paths.h"
#include "say.h"
#include "stub.h"

CW_NEXT(dlsym, void *, void *, const char *)
CW_NEXT(dlopen, void *, const char *, int)
CW_NEXT(dlerror, char *, void)

/* Handles of the machine's libraries, by the place of their name among the image's strings. */
struct outside {
    uint32_t name;
    void *handle;
};
static struct outside *opened;
static size_t opened_count;

void cw_outside_forget(void)
{
    opened_count = 0;
}

static void *known_handle(uint32_t name)
{
    for (size_t n = 0; n < opened_count; n++)
        if (opened[n].name == name)
            return opened[n].handle;
    return NULL;
}

static bool keep_handle(uint32_t name, void *handle)
{
    struct outside *more = realloc(opened, (opened_count + 1) * sizeof *more);
    if (!more)
        return false;
    opened = more;
    opened[opened_count++] = (struct outside){name, handle};
    return true;
}

/* A packaged library that is not prelinked is unpacked, which dlopen of its path does. */
static void *open_need(const struct cw_need *need, const char *name)
{
    const struct cw_image *image = cw_paths_image();
    const struct cw_node *node = cw_image_node(image, need->node);
    struct cw_text below = node ? cw_image_text(image, node->path) : (struct cw_text){NULL, 0};
    if (!node)
        return next_dlopen()(name, RTLD_NOW | RTLD_LOCAL);
    char path[PATH_MAX];
    if (!below.data || below.size > sizeof path - sizeof CW_ROOT - 1)
        return NULL;
    strcpy(path, CW_ROOT "/");
    strcat(path, below.data);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static bool is_prelinked(const struct cw_need *need)
{
    const struct cw_image *image = cw_paths_image();
    const struct cw_node *node = cw_image_node(image, need->node);
    return node && cw_library_of(image, node);
}

bool cw_native_needs(struct cw_native *native)
{
    const struct cw_image *image = cw_paths_image();
    for (uint32_t n = 0; n < native->library->needs.count; n++) {
        const struct cw_need *need = &image->needs[native->library->needs.first + n];
        struct cw_text name = cw_image_text(image, need->name);
        if (!name.data || is_prelinked(need) || known_handle(need->name.offset))
            continue;
        void *handle = open_need(need, name.data);
        if (!handle)
            return false; /* the loader's message says it */
        if (!keep_handle(need->name.offset, handle))
            return cw_dl_fail(name.data, ": cannot allocate memory", "", "");
    }
    return true;
}

static void *ask(void *handle, const char *name, const char *version)
{
    return version ? dlvsym(handle, name, version) : next_dlsym()(handle, name);
}

void *cw_outside_symbol(const struct cw_native *native, const char *name, const char *version)
{
    const struct cw_image *image = cw_paths_image();
    for (uint32_t n = 0; n < native->library->needs.count; n++) {
        const struct cw_need *need = &image->needs[native->library->needs.first + n];
        void *handle = is_prelinked(need) ? NULL : known_handle(need->name.offset);
        void *found = handle ? ask(handle, name, version) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static void *global_symbol(const char *name, const char *version)
{
    struct cw_native *native;
    for (uint32_t n = 0; (native = cw_native_loaded(n)); n++) {
        const Elf64_Sym *found = native->global ? cw_native_find(native->library, name, version) : NULL;
        if (found)
            return cw_native_address(native->library, found);
    }
    return NULL;
}

/* As ld.so searches: what the whole process has, then the library's own surroundings. */
static void *find(const struct cw_native *native, const struct cw_slot *slot, const char *name)
{
    struct cw_text text = cw_image_text(cw_paths_image(), slot->version);
    const char *version = text.size ? text.data : NULL;
    void *found = ask(RTLD_DEFAULT, name, version);
    if (!found)
        found = global_symbol(name, version);
    if (!found)
        found = cw_outside_symbol(native, name, version);
    const struct cw_image *image = cw_paths_image();
    const struct cw_node *node = &image->nodes[native->library->node], *dep;
    for (uint32_t n = 0; !found && (dep = cw_image_dep(image, node, n)); n++) {
        const struct cw_library *library = cw_library_of(image, dep);
        if (library)
            found = cw_outside_symbol(cw_native_of(image, library), name, version);
    }
    return found ? found : (void *)(uintptr_t)slot->fallback;
}

/* What a function jumps to that does not exist and was called nevertheless: ld.so ends the process then, too. */
_Noreturn static void die_of_call(void)
{
    cw_die(127, cw_self_path(), "symbol lookup error: a native library called a function that does not exist");
}

/* In ld.so's words: a version that is missing altogether is found before any symbol. */
static bool fail_symbol(const struct cw_native *native, const struct cw_slot *slot, const char *name)
{
    struct cw_text version = cw_image_text(cw_paths_image(), slot->version);
    char path[PATH_MAX];
    if (!version.size || strlen(native->map.l_name) > sizeof path - 2)
        return cw_dl_fail(native->map.l_name, ": undefined symbol: ", name, "");
    strcpy(path, native->map.l_name);
    strcat(path, ")");
    return cw_dl_fail("version `", version.data, "' not found (required by ", path);
}

static void **slot_at(uint32_t number)
{
    return (void **)(uintptr_t)(CW_CODE_SLOTS + (uint64_t)CW_STUB_SIZE * number);
}

bool cw_native_has_open_slots(const struct cw_native *native)
{
    const struct cw_image *image = cw_paths_image();
    for (uint32_t n = 0; n < native->library->uses.count; n++)
        if (!*slot_at(image->uses[native->library->uses.first + n]))
            return true;
    for (uint32_t n = 0; n < native->library->fixups.count; n++) {
        const struct cw_fixup *fixup = &image->fixups[native->library->fixups.first + n];
        if (fixup->kind != CW_FIX_RESOLVED && !*slot_at(fixup->slot))
            return true;
    }
    return false;
}

/* Fills one slot, if that has not been done. `*value` is what is in it then, 0 for nothing. */
static bool fill(const struct cw_native *native, uint32_t number, bool lazy, void **value)
{
    const struct cw_image *image = cw_paths_image();
    void **place = slot_at(number);
    const struct cw_slot *slot = &image->slots[number];
    if (!*place) {
        struct cw_text name = cw_image_text(image, slot->name);
        void *found = name.data ? find(native, slot, name.data) : NULL;
        if (!found && !(slot->flags & CW_WEAK) && !lazy)
            return fail_symbol(native, slot, name.data ? name.data : "?");
        *place = found || slot->flags & CW_WEAK ? found : (void *)(uintptr_t)die_of_call;
    }
    *value = *place;
    return true;
}

static bool fix(const struct cw_native *native, const struct cw_fixup *fixup)
{
    void *found;
    if (fixup->kind == CW_FIX_RESOLVED)
        return true;
    if (!fill(native, fixup->slot, false, &found))
        return false;
    uint64_t value = (uint64_t)(uintptr_t)found;
    if (found && fixup->kind == CW_FIX_WEAK_CALL)
        value = CW_STUBS + (uint64_t)CW_STUB_SIZE * fixup->slot;
    *(uint64_t *)(uintptr_t)fixup->address = found ? value + (uint64_t)fixup->value : 0;
    return true;
}

bool cw_native_bind(struct cw_native *native, bool lazy)
{
    const struct cw_image *image = cw_paths_image();
    const struct cw_library *library = native->library;
    bool good = true;
    for (uint32_t n = 0; n < library->uses.count && good; n++) {
        void *ignored;
        good = fill(native, image->uses[library->uses.first + n], lazy, &ignored);
    }
    for (uint32_t n = 0; n < library->fixups.count && good; n++)
        good = fix(native, &image->fixups[library->fixups.first + n]);
    if (good)
        (void)next_dlerror()(); /* of what was asked for in vain */
    return good;
}

void cw_native_resolve(struct cw_native *native)
{
    const struct cw_image *image = cw_paths_image();
    for (uint32_t n = 0; n < native->library->fixups.count; n++) {
        const struct cw_fixup *fixup = &image->fixups[native->library->fixups.first + n];
        void *(*resolver)(void) = (void *(*)(void))(uintptr_t)fixup->value;
        if (fixup->kind == CW_FIX_RESOLVED)
            *(void **)(uintptr_t)fixup->address = resolver();
    }
}
