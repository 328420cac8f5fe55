/* Mapping prelinked libraries from the executable's file. */
#define _GNU_SOURCE 1
#include <string.h>
#include <sys/mman.h>

#include "fixed.h"
#include "natives.h"
#include "paths.h"
#include "sys.h"

#include "live.h"

struct cw_arguments cw_arguments;

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

/* The file must be the one that the kernel has mapped, or code and tables would not fit each other. */
static bool is_this_file(int fd)
{
    const struct cw_header *header = cw_paths_image()->header;
    struct cw_header found;
    off_t offset = (off_t)(header->file_size - header->image_size);
    return pread(fd, &found, sizeof found, offset) == (ssize_t)sizeof found &&
           memcmp(&found, header, sizeof found) == 0;
}

static int open_file(const char *path)
{
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 || is_this_file(fd))
        return fd;
    sys_close(fd);
    return -ESTALE;
}

/* /proc/self/exe is the loader where the program is an argument of that. */
int cw_natives_file(void)
{
    int fd = open_file("/proc/self/exe");
    return fd < 0 ? open_file(cw_self_path()) : fd;
}

static int protection_of(const struct cw_piece *piece)
{
    int protection = piece->protection & CW_READ ? PROT_READ : PROT_NONE;
    if (piece->protection & CW_WRITE)
        protection |= PROT_WRITE;
    if (piece->protection & CW_EXECUTE)
        protection |= PROT_EXEC;
    return protection;
}

static int map_piece(const struct cw_piece *piece, int fd)
{
    const struct cw_image *image = cw_paths_image();
    int flags = MAP_PRIVATE | MAP_FIXED;
    void *got;
    if (piece->offset == CW_NO_CONTENT) {
        got = mmap(at(piece->address), piece->size, protection_of(piece), flags | MAP_ANONYMOUS, -1, 0);
    } else {
        uint64_t start = image->header->file_size - image->header->image_size;
        off_t offset = (off_t)(start + image->pages_offset + piece->offset);
        got = mmap(at(piece->address), piece->size, protection_of(piece), flags, fd, offset);
    }
    return got == MAP_FAILED ? -errno : 0;
}

int cw_natives_reserve(int fd)
{
    const struct cw_image *image = cw_paths_image();
    uint64_t size = cw_libraries_end(image) - CW_REGION;
    int result = cw_map_fixed(at(CW_REGION), size, PROT_NONE, MAP_NORESERVE);
    if (result < 0)
        return result;
    for (int n = 0; n < 2 && result == 0; n++)
        result = map_piece(&image->pieces[n], fd);
    if (result == 0)
        result = cw_slots_close();
    if (result < 0)
        munmap(at(CW_REGION), size);
    return result;
}

void cw_natives_unreserve(void)
{
    munmap(at(CW_REGION), cw_libraries_end(cw_paths_image()) - CW_REGION);
}

static int slots_become(int protection)
{
    const struct cw_piece *slots = &cw_paths_image()->pieces[1];
    return mprotect(at(slots->address), slots->size, protection) ? -errno : 0;
}

int cw_slots_open(void)
{
    return slots_become(PROT_READ | PROT_WRITE);
}

int cw_slots_close(void)
{
    return slots_become(PROT_READ);
}

int cw_native_map(const struct cw_library *library, int fd)
{
    const struct cw_piece *pieces = cw_paths_image()->pieces + library->pieces.first;
    int result = 0;
    for (uint32_t n = 0; n < library->pieces.count && result == 0; n++)
        result = map_piece(&pieces[n], fd);
    return result;
}

int cw_native_protect(const struct cw_library *library)
{
    const struct cw_piece *pieces = cw_paths_image()->pieces + library->pieces.first;
    for (uint32_t n = 0; n < library->pieces.count; n++)
        if (pieces[n].protection & CW_RELRO && mprotect(at(pieces[n].address), pieces[n].size, PROT_READ))
            return -errno;
    return 0;
}

/* The addresses stay ours. */
void cw_native_unmap(const struct cw_library *library)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    (void)mmap(at(library->start), library->size, PROT_NONE, flags, -1, 0);
}
