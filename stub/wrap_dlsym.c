/* The other functions of dlfcn.h and link.h: prelinked libraries are found by them like any other. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "dl_error.h"
#include "native_symbols.h"
#include "natives.h"
#include "next.h"
#include "paths.h"

#include "live.h"

/* dlsym finds out who calls it by its return address (RTLD_NEXT), so ours must leave no trace. */
#if defined(__clang__)
#define CW_TAIL __attribute__((musttail)) return
#define CW_JUMPS
#else
#define CW_TAIL return
#define CW_JUMPS __attribute__((optimize("optimize-sibling-calls")))
#endif

CW_NEXT(dlsym, void *, void *, const char *)
CW_NEXT(dlclose, int, void *)
CW_NEXT(dladdr, int, const void *, Dl_info *)
CW_NEXT(dladdr1, int, const void *, Dl_info *, void **, int)
CW_NEXT(dlinfo, int, void *, int, void *)

typedef int visitor(struct dl_phdr_info *, size_t, void *);
CW_NEXT(dl_iterate_phdr, int, visitor *, void *)
CW_NEXT(dlopen, void *, const char *, int)

int cw_dl_iterate_phdr(visitor *visit, void *data) CW_EXPORT(dl_iterate_phdr);
void *cw_dlopen(const char *path, int mode) CW_EXPORT(dlopen);
void *cw_dlsym(void *handle, const char *name) CW_EXPORT(dlsym);
int cw_dlclose(void *handle) CW_EXPORT(dlclose);
int cw_dladdr(const void *address, Dl_info *info) CW_EXPORT(dladdr);
int cw_dladdr1(const void *address, Dl_info *info, void **extra, int what) CW_EXPORT(dladdr1);
int cw_dlinfo(void *handle, int request, void *result) CW_EXPORT(dlinfo);

static void *symbol_in(const struct cw_native *native, const char *name, const char *version)
{
    const Elf64_Sym *symbol = cw_native_find(native->library, name, version);
    return symbol ? cw_native_address(native->library, symbol) : NULL;
}

/* Libraries breadth-first, as dlsym looks through a handle's; at most those that a process has loaded. */
struct scope {
    const struct cw_native **items;
    uint32_t count, room;
};

static void add_to_scope(struct scope *scope, const struct cw_native *native)
{
    for (uint32_t n = 0; n < scope->count; n++)
        if (scope->items[n] == native)
            return;
    if (scope->count < scope->room)
        scope->items[scope->count++] = native;
}

static void add_needs(struct scope *scope, const struct cw_native *native)
{
    const struct cw_image *image = cw_paths_image();
    for (uint32_t n = 0; n < native->library->needs.count; n++) {
        const struct cw_node *node = cw_image_node(image, image->needs[native->library->needs.first + n].node);
        const struct cw_library *library = node ? cw_library_of(image, node) : NULL;
        if (library)
            add_to_scope(scope, cw_native_of(image, library));
    }
}

/* What a library and those that it needs have under a name; `after` leaves out the library itself. */
static void *symbol_below(const struct cw_native *native, const char *name, const char *version, bool after)
{
    struct scope scope = {.room = cw_paths_image()->library_count};
    void *found = after ? NULL : symbol_in(native, name, version);
    if (found)
        return found;
    scope.items = calloc(scope.room, sizeof *scope.items);
    if (!scope.items)
        return NULL;
    add_to_scope(&scope, native);
    for (uint32_t n = 0; n < scope.count && !found; n++) {
        if (n)
            found = symbol_in(scope.items[n], name, version);
        add_needs(&scope, scope.items[n]);
    }
    for (uint32_t n = 0; n < scope.count && !found; n++)
        found = cw_outside_symbol(scope.items[n], name, version);
    free(scope.items);
    return found;
}

static void *global_symbol(const char *name, const char *version)
{
    const struct cw_native *native;
    void *found = NULL;
    for (uint32_t n = 0; !found && (native = cw_native_loaded(n)); n++)
        if (native->global)
            found = symbol_in(native, name, version);
    return found;
}

static void *ask_system(void *handle, const char *name, const char *version)
{
    return version ? dlvsym(handle, name, version) : next_dlsym()(handle, name);
}

static void *undefined(const char *path, const char *name, const char *version)
{
    return cw_dl_fail(path, ": undefined symbol: ", name, version ? " (with that version)" : "");
}

/* dlsym for whoever calls from a prelinked library. */
static void *symbol_for(const struct cw_native *caller, void *handle, const char *name, const char *version)
{
    bool next = handle == RTLD_NEXT;
    void *found = next ? symbol_below(caller, name, version, true) : NULL;
    if (!found)
        found = ask_system(RTLD_DEFAULT, name, version);
    if (!found)
        found = global_symbol(name, version);
    if (!found && !next)
        found = symbol_below(caller, name, version, false);
    return found ? found : undefined(caller->map.l_name, name, version);
}

static void *symbol_of_handle(const struct cw_native *native, const char *name, const char *version)
{
    void *found = symbol_below(native, name, version, false);
    return found ? found : undefined(native->map.l_name, name, version);
}

/* What is global is also found through the program's own handle. */
static void *symbol_of_all(void *handle, const char *name, const char *version)
{
    void *found = ask_system(handle, name, version);
    return found ? found : global_symbol(name, version);
}

static bool any_global(void)
{
    const struct cw_native *native;
    for (uint32_t n = 0; (native = cw_native_loaded(n)); n++)
        if (native->global)
            return true;
    return false;
}

static bool is_program(void *handle)
{
    const struct link_map *map = handle;
    return handle == RTLD_DEFAULT || (handle != RTLD_NEXT && map->l_name && !*map->l_name && !map->l_prev);
}

/* Of these ours are also to be had through libc's own handle: profilers and thread pools look for libraries that
 * way. */
static void *ours_for(void *theirs)
{
    void *const pairs[][2] = {
        {next_dl_iterate_phdr(), cw_dl_iterate_phdr},
        {next_dladdr(), cw_dladdr},
        {next_dladdr1(), cw_dladdr1},
        {next_dlinfo(), cw_dlinfo},
        {next_dlclose(), cw_dlclose},
        {next_dlopen(), cw_dlopen},
        {next_dlsym(), cw_dlsym},
    };
    for (size_t n = 0; n < sizeof pairs / sizeof *pairs; n++)
        if (theirs && theirs == pairs[n][0])
            return pairs[n][1];
    return theirs;
}

/* In place of an answer: the system's loader has it. */
static char not_ours;

static __attribute__((noinline)) void *answer(void *handle, const char *name, const void *caller)
{
    const struct cw_native *native = cw_native_of_handle(handle);
    cw_dl_forget();
    if (native)
        return symbol_of_handle(native, name, NULL);
    native = cw_native_at(caller);
    if (native && (handle == RTLD_DEFAULT || handle == RTLD_NEXT))
        return symbol_for(native, handle, name, NULL);
    if (any_global() && is_program(handle))
        return symbol_of_all(handle, name, NULL);
    if (strncmp(name, "dl", 2) == 0 && handle != RTLD_NEXT)
        return ours_for(next_dlsym()(handle, name));
    return &not_ours;
}


CW_EARLY CW_JUMPS void *cw_dlsym(void *handle, const char *name)
{
    handle = cw_real_handle(handle);
    void *found = cw_natives.loaded_count ? answer(handle, name, __builtin_return_address(0)) : &not_ours;
    if (found != &not_ours)
        return found;
    CW_TAIL next_dlsym()(handle, name);
}

/* Prelinked libraries' own: libc's is not taken over for others, because we look up libc's dlsym by it. */
void *cw_native_dlvsym(void *handle, const char *name, const char *version) CW_EXPORT(cw_native_dlvsym);
void *cw_native_dlvsym(void *handle, const char *name, const char *version)
{
    handle = cw_real_handle(handle);
    const struct cw_native *native = cw_native_of_handle(handle);
    cw_dl_forget();
    if (native)
        return symbol_of_handle(native, name, version);
    native = cw_native_at(__builtin_return_address(0));
    if (native && (handle == RTLD_DEFAULT || handle == RTLD_NEXT))
        return symbol_for(native, handle, name, version);
    return any_global() && is_program(handle) ? symbol_of_all(handle, name, version)
                                              : dlvsym(handle, name, version);
}

int cw_dlclose(void *handle)
{
    if (cw_native_of_handle(handle) || handle == &cw_program)
        return 0;
    CW_TAIL next_dlclose()(handle);
}

static const Elf64_Sym *describe(const struct cw_native *native, const void *address, Dl_info *info)
{
    const struct cw_library *library = native->library;
    const Elf64_Sym *symbol = cw_native_nearest(library, (uint64_t)(uintptr_t)address);
    info->dli_fname = native->map.l_name;
    info->dli_fbase = (void *)(uintptr_t)library->start;
    info->dli_sname = symbol ? cw_native_symbol_name(library, symbol) : NULL;
    info->dli_saddr = symbol ? (void *)(uintptr_t)(library->base + symbol->st_value) : NULL;
    return symbol;
}

int cw_dladdr(const void *address, Dl_info *info)
{
    const struct cw_native *native = cw_native_at(address);
    if (!native)
        return next_dladdr()(address, info);
    describe(native, address, info);
    return 1;
}

int cw_dladdr1(const void *address, Dl_info *info, void **extra, int what)
{
    struct cw_native *native = cw_native_at(address);
    if (!native)
        return next_dladdr1()(address, info, extra, what);
    const Elf64_Sym *symbol = describe(native, address, info);
    if (what == RTLD_DL_LINKMAP)
        *extra = &native->map;
    else if (what == RTLD_DL_SYMENT)
        *(const Elf64_Sym **)extra = symbol;
    return 1;
}

int cw_dlinfo(void *handle, int request, void *result)
{
    struct cw_native *native = cw_native_of_handle(handle);
    if (!native)
        return next_dlinfo()(cw_real_handle(handle), request, result);
    const char *name = native->map.l_name, *slash = strrchr(name, '/');
    switch (request) {
    case RTLD_DI_LMID:
        *(Lmid_t *)result = LM_ID_BASE;
        return 0;
    case RTLD_DI_LINKMAP:
        *(struct link_map **)result = &native->map;
        return 0;
    case RTLD_DI_ORIGIN:
        memcpy(result, name, (size_t)(slash - name));
        ((char *)result)[slash - name] = '\0';
        return 0;
    default:
        cw_dl_fail(name, ": unsupported dlinfo request", "", "");
        return -1;
    }
}
