/* Entry of every product: find the image, decide what to be, be it. */
#define _GNU_SOURCE 1
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "again.h"
#include "arena.h"
#include "bake.h"
#include "gates.h"
#include "heap.h"
#include "machine.h"
#include "paths.h"
#include "rebake.h"
#include "say.h"
#include "snapshot.h"
#include "start.h"
#include "stub.h"

#include "live.h"

struct cw_image cw_image;

/* Read by `file`, `readelf -n` and by coachwhip, which turns this note's program header into the one
 * that maps the image. */
struct cw_note {
    Elf64_Nhdr header;
    char name[12];
    uint32_t version;
};
__attribute__((section(".note.coachwhip"), used, aligned(4))) static const struct cw_note note = {
    .header = {.n_namesz = sizeof "Coachwhip", .n_descsz = sizeof(uint32_t), .n_type = 1},
    .name = "Coachwhip",
    .version = CW_VERSION,
};

/* The image's program header, as the kernel has read it. */
static const ElfW(Phdr) *image_segment(uintptr_t *bias)
{
    const ElfW(Phdr) *headers = (const void *)getauxval(AT_PHDR);
    const ElfW(Phdr) *found = NULL;
    unsigned long count = getauxval(AT_PHNUM);
    *bias = 0;
    for (unsigned long n = 0; headers && n < count; n++) {
        if (headers[n].p_type == PT_PHDR)
            *bias = (uintptr_t)headers - headers[n].p_vaddr;
        if (headers[n].p_type == PT_LOAD && headers[n].p_paddr == CW_SEGMENT_TAG)
            found = &headers[n];
    }
    return found;
}

/* The executable's path: what the kernel says, or what it was started as where there is no /proc. For the kernel, a
 * program that is an argument of the loader (`ld-linux-x86-64.so.2 PROGRAM`) is the loader, which has no loader. */
static const char *self_path(const char *argv0)
{
    static char path[PATH_MAX];
    bool by_loader = getauxval(AT_BASE) == 0;
    ssize_t size = by_loader ? -1 : readlink("/proc/self/exe", path, sizeof path - 1);
    if (size > 0) {
        path[size] = '\0';
        return path;
    }
    const char *started = by_loader ? NULL : (const char *)getauxval(AT_EXECFN);
    return realpath(started ? started : argv0, path) ? path : started;
}

/* A file that ends before the image does would be noticed as SIGBUS in the middle of a run. */
static bool is_whole(const char *path, uint64_t wanted)
{
    struct stat info;
    return stat(path, &info) != 0 || (uint64_t)info.st_size >= wanted;
}

static void open_image(const char *path)
{
    uintptr_t bias;
    const ElfW(Phdr) *segment = image_segment(&bias);
    if (!segment)
        cw_die(CW_EXIT_DAMAGED, path, "this is an interpreter without an application: it carries no image");
    if (!is_whole(path, segment->p_offset + segment->p_filesz))
        cw_die(CW_EXIT_DAMAGED, path, "this file is truncated; copy or download it again");
    const char *fault = cw_image_open(&cw_image, (const void *)(bias + segment->p_vaddr), segment->p_filesz);
    if (fault)
        cw_die(CW_EXIT_DAMAGED, path, "this file is damaged (%s); copy or download it again", fault);
}

static void tell(const char *format, const char *why)
{
    if (cw_snapshot_wants_reason())
        cw_say(cw_self_path(), format, why);
}

/* The same with the snapshot that this user has made on this machine, if there is one. */
static bool continue_of_machine(void)
{
    const char *fault = NULL;
    struct cw_bytes snapshot = {NULL, 0};
    if (cw_image.settings->flags & CW_REBAKE)
        snapshot = cw_machine_snapshot(&fault);
    if (snapshot.size && !(fault = cw_snapshot_restore(snapshot, CW_OF_MACHINE))) {
        tell("started from the snapshot made on this machine", NULL);
        return true;
    }
    if (fault)
        tell("the snapshot made on this machine is not used: %s", fault);
    cw_machine_unmap(snapshot);
    return false;
}

/* Has the process become what a snapshot holds; says why when it does not. */
static bool continue_snapshot(const struct cw_start *start)
{
    const char *obstacle = cw_snapshot_obstacle(start);
    if (!obstacle && continue_of_machine())
        return true;
    if (!obstacle && cw_snapshot_only_of_machine())
        obstacle = "COACHWHIP_SNAPSHOT=machine";
    if (!obstacle)
        obstacle = cw_snapshot_restore(cw_image_snapshot(&cw_image), CW_OF_PRODUCT);
    tell(obstacle ? "started without a snapshot: %s" : "started from its snapshot", obstacle);
    return !obstacle;
}

int main(int argc, char **argv)
{
    const char *path = self_path(argv[0]);
    open_image(path);
    cw_paths_start(&cw_image, path);
    struct cw_start start = cw_start_of(argc, argv);
    cw_rebake_if_asked(&start);
    cw_again_open(start.argv);
    bool continued = continue_snapshot(&start);
    if (cw_bake_plan())
        cw_bake_begin(argv);
    cw_heap_open();
    cw_arenas_open();
    return continued ? cw_continue(&start) : cw_run(&start);
}
