/* Prelinked libraries in a process that is saved, and in one that was restored. */
#define _GNU_SOURCE 1
#include "natives.h"
#include "natives_threads.h"
#include "natives_tls.h"
#include "paths.h"
#include "sys.h"

/* Memory that becomes read-only holds what the file has and what fixing up adds, and is made anew. */
static bool is_saved(const struct cw_piece *piece)
{
    return piece->protection & CW_WRITE && !(piece->protection & CW_RELRO);
}

void cw_natives_ranges(void range(void *context, void *start, size_t size), void *context)
{
    const struct cw_image *image = cw_paths_image();
    const struct cw_native *native;
    for (uint32_t n = 0; (native = cw_native_loaded(n)); n++)
        for (uint32_t m = 0; m < native->library->pieces.count; m++) {
            const struct cw_piece *piece = &image->pieces[native->library->pieces.first + m];
            if (is_saved(piece))
                range(context, (void *)(uintptr_t)piece->address, piece->size);
        }
}

int cw_natives_restore_begin(void)
{
    int fd = cw_natives_file();
    int result = fd < 0 ? fd : cw_natives_reserve(fd);
    if (result == 0)
        return fd;
    sys_close(fd);
    return result;
}

void cw_natives_restore_undo(int fd)
{
    if (fd < 0)
        return;
    sys_close(fd);
    cw_natives_unreserve();
}

int cw_natives_restore_map(int fd)
{
    const struct cw_native *native;
    int result = 0;
    if (fd < 0)
        return 0;
    for (uint32_t n = 0; result == 0 && (native = cw_native_loaded(n)); n++)
        result = cw_native_map(native->library, fd);
    sys_close(fd);
    return result;
}

static int bind_again(void)
{
    struct cw_native *native;
    bool good = true;
    int result = cw_slots_open();
    for (uint32_t n = 0; good && (native = cw_native_loaded(n)); n++)
        good = cw_native_needs(native) && cw_native_bind(native, true);
    (void)cw_slots_close();
    for (uint32_t n = 0; good && (native = cw_native_loaded(n)); n++)
        cw_native_resolve(native);
    for (uint32_t n = 0; good && result == 0 && (native = cw_native_loaded(n)); n++)
        result = cw_native_protect(native->library);
    return good ? result : -ELIBACC;
}

int cw_natives_restored(void)
{
    cw_outside_forget();
    cw_unwind_forget();
    if (!cw_natives.reserved)
        return 0;
    int result = bind_again();
    cw_tls_restore();
    return result;
}
