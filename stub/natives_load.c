/* dlopen of prelinked libraries. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "dl_error.h"
#include "natives.h"
#include "natives_threads.h"
#include "paths.h"
#include "stub.h"
#include "sys.h"

struct cw_natives cw_natives;

static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void cw_natives_lock(void)
{
    pthread_mutex_lock(&mutex);
}

void cw_natives_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

/* The child of a fork has one thread: whoever else held the lock is not there to let it go. */
static void make_lock_anew(void)
{
    mutex = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}

/* The loader calls it with what main gets, before main. */
__attribute__((constructor)) static void keep_arguments(int argc, char **argv, char **envp)
{
    cw_arguments = (struct cw_arguments){argc, argv, envp};
}

static bool make_table(void)
{
    const struct cw_image *image = cw_paths_image();
    struct cw_native *all = calloc(image->library_count, sizeof *all);
    uint32_t *order = calloc(image->library_count, sizeof *order);
    if (!all || !order || pthread_atfork(cw_natives_lock, cw_natives_unlock, make_lock_anew)) {
        free(all);
        free(order);
        return false;
    }
    for (uint32_t n = 0; n < image->library_count; n++)
        all[n].library = &image->libraries[n];
    cw_natives.order = order;
    cw_natives.all = all;
    return true;
}

/* For tools that know libraries by the files that are mapped. The caller of a setuid program has no say in it. */
static bool is_wanted(void)
{
    const char *wish = getenv("COACHWHIP_MAP_LIBRARIES");
    return !wish || strcmp(wish, "0") != 0 || getauxval(AT_SECURE);
}

bool cw_natives_usable(void)
{
    if (cw_natives.unusable || cw_natives.reserved)
        return cw_natives.reserved;
    int fd = is_wanted() ? cw_natives_file() : -1;
    cw_natives.reserved = fd >= 0 && cw_natives_reserve(fd) == 0 && (cw_natives.all || make_table());
    cw_natives.unusable = !cw_natives.reserved;
    sys_close(fd);
    return cw_natives.reserved;
}

struct cw_native *cw_native_loaded(uint32_t n)
{
    uint32_t count = atomic_load_explicit(&cw_natives.loaded_count, memory_order_acquire);
    return n < count ? &cw_natives.all[cw_natives.order[n]] : NULL;
}

struct cw_native *cw_native_at(const void *address)
{
    uint64_t place = (uint64_t)(uintptr_t)address;
    if (place < CW_FIRST_LIBRARY || place >= CW_REGION_END || !cw_natives.all)
        return NULL;
    const struct cw_library *library = cw_library_at(cw_paths_image(), place);
    struct cw_native *native = library ? cw_native_of(cw_paths_image(), library) : NULL;
    return native && atomic_load(&native->loaded) ? native : NULL;
}

struct cw_native *cw_native_of_handle(const void *handle)
{
    if (!cw_natives.all || !handle)
        return NULL;
    size_t distance = (size_t)((const char *)handle - (const char *)cw_natives.all);
    size_t number = distance / sizeof *cw_natives.all;
    if ((const char *)handle < (const char *)cw_natives.all || number >= cw_paths_image()->library_count ||
        distance % sizeof *cw_natives.all)
        return NULL;
    return cw_natives.all[number].loaded ? &cw_natives.all[number] : NULL;
}

/* The link map as debuggers and profilers know it from ld.so, except for its neighbours. */
static bool fill_map(struct cw_native *native)
{
    const struct cw_image *image = cw_paths_image();
    struct cw_text path = cw_image_text(image, image->nodes[native->library->node].path);
    if (native->map.l_name)
        return true;
    char *name = path.data ? malloc(sizeof CW_ROOT + path.size + 1) : NULL;
    if (!name)
        return false;
    strcpy(name, CW_ROOT "/");
    strcat(name, path.data);
    native->map.l_name = name;
    native->map.l_addr = native->library->base;
    native->map.l_ld = (void *)(uintptr_t)native->library->dynamic;
    return true;
}

/* The libraries of one dlopen that are not loaded yet, those that are needed before those that need them. */
struct batch {
    struct cw_native **items;
    uint32_t count;
};

static void add(struct batch *batch, const struct cw_node *node)
{
    const struct cw_image *image = cw_paths_image();
    const struct cw_library *library = cw_library_of(image, node);
    struct cw_native *native = library ? cw_native_of(image, library) : NULL;
    if (!native || native->loaded)
        return;
    for (uint32_t n = 0; n < batch->count; n++)
        if (batch->items[n] == native)
            return;
    batch->items[batch->count++] = native;
}

static bool map_all(struct batch *batch)
{
    int fd = cw_natives_file();
    int result = fd < 0 ? fd : 0;
    for (uint32_t n = 0; n < batch->count && result == 0; n++) {
        struct cw_native *native = batch->items[n];
        native->mapped = true;
        result = fill_map(native) ? cw_native_map(native->library, fd) : -ENOMEM;
    }
    sys_close(fd);
    if (result < 0)
        cw_dl_fail(cw_self_path(), ": cannot map a packaged library: ", strerror(-result), "");
    return result == 0;
}

static bool bind_all(struct batch *batch, int mode)
{
    bool good = true, unfilled = false;
    for (uint32_t n = 0; n < batch->count && good; n++) {
        good = cw_native_needs(batch->items[n]);
        unfilled = unfilled || cw_native_has_open_slots(batch->items[n]);
    }
    if (good && unfilled && cw_slots_open() < 0)
        good = cw_dl_fail(cw_self_path(), ": cannot change memory protections", "", "");
    for (uint32_t n = 0; n < batch->count && good; n++)
        good = cw_native_bind(batch->items[n], !(mode & RTLD_NOW));
    if (unfilled)
        (void)cw_slots_close();
    return good;
}

/* From here on others find the libraries, their own functions among them. */
static void publish(struct batch *batch)
{
    uint32_t count = cw_natives.loaded_count;
    for (uint32_t n = 0; n < batch->count; n++) {
        struct cw_native *native = batch->items[n];
        uint32_t number = (uint32_t)(native - cw_natives.all);
        struct cw_native *before = count ? &cw_natives.all[cw_natives.order[count - 1]] : NULL;
        native->map.l_prev = before ? &before->map : NULL;
        if (before)
            before->map.l_next = &native->map;
        cw_natives.order[count++] = number;
        atomic_store(&native->loaded, true);
    }
    atomic_store_explicit(&cw_natives.loaded_count, count, memory_order_release);
}

static void construct(const struct cw_library *library)
{
    typedef void constructor(int, char **, char **);
    struct cw_arguments *with = &cw_arguments;
    if (library->init)
        ((constructor *)(uintptr_t)library->init)(with->argc, with->argv, with->envp);
    constructor *const *array = (constructor *const *)(uintptr_t)library->init_array;
    for (uint32_t n = 0; n < library->init_count; n++)
        if (array[n] && (uintptr_t)array[n] != UINTPTR_MAX)
            array[n](with->argc, with->argv, with->envp);
}

static bool load_batch(struct batch *batch, int mode)
{
    bool good = map_all(batch) && bind_all(batch, mode);
    if (!good) {
        for (uint32_t n = 0; n < batch->count; n++)
            if (batch->items[n]->mapped)
                cw_native_unmap(batch->items[n]->library);
        return false;
    }
    publish(batch);
    for (uint32_t n = 0; n < batch->count; n++)
        cw_native_resolve(batch->items[n]);
    for (uint32_t n = 0; n < batch->count; n++)
        if (cw_native_protect(batch->items[n]->library) < 0)
            return cw_dl_fail(batch->items[n]->map.l_name, ": cannot apply memory protection", "", "");
    for (uint32_t n = 0; n < batch->count; n++) {
        cw_threads_note_variables(batch->items[n]);
        construct(batch->items[n]->library);
    }
    return true;
}

static bool load(const struct cw_node *node, int mode)
{
    const struct cw_image *image = cw_paths_image();
    struct batch batch = {.items = calloc(image->library_count, sizeof *batch.items)};
    const struct cw_node *dep;
    if (!batch.items)
        return cw_dl_fail(cw_self_path(), ": cannot allocate memory", "", "");
    for (uint32_t n = 0; (dep = cw_image_dep(image, node, n)); n++)
        add(&batch, dep);
    add(&batch, node);
    bool good = load_batch(&batch, mode);
    free(batch.items);
    return good;
}

static void make_global(const struct cw_node *node)
{
    const struct cw_image *image = cw_paths_image();
    const struct cw_node *dep;
    for (uint32_t n = 0; (dep = cw_image_dep(image, node, n)); n++)
        if (cw_library_of(image, dep))
            cw_native_of(image, cw_library_of(image, dep))->global = true;
    cw_native_of(image, cw_library_of(image, node))->global = true;
}

void *cw_native_open(const struct cw_node *node, int mode, bool *elsewhere)
{
    const struct cw_library *library = cw_library_of(cw_paths_image(), node);
    void *handle = NULL;
    *elsewhere = true;
    if (!library)
        return NULL;
    cw_natives_lock();
    if (cw_natives_usable()) {
        *elsewhere = false;
        struct cw_native *native = &cw_natives.all[library - cw_paths_image()->libraries];
        if (native->loaded || (!(mode & RTLD_NOLOAD) && load(node, mode)))
            handle = &native->map;
        if (handle && mode & RTLD_GLOBAL)
            make_global(node);
    }
    cw_natives_unlock();
    return handle;
}
