#define _GNU_SOURCE 1
#include "working_set.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "heap_pages.h"
#include "sys.h"

#include "live.h"

static const char VARIABLE[] = "COACHWHIP_WORKING_SET";
/* FIRST_FD: as without a watch, the program's first descriptor is 3. MOST_PARTS: the kernel's usual limit of mappings
 * is four times that. */
enum { FIRST_FD = 100, MOST_PARTS = 16384 };
/* What /proc/self/pagemap says of a page (Documentation/admin-guide/mm/pagemap.rst). */
static const uint64_t PRESENT = (uint64_t)3 << 62, OF_FILE = (uint64_t)1 << 61;
static const uint32_t WRITTEN = (uint32_t)1 << 31;
enum { AT_ONCE = 512 };

/* A start that is watched. */
struct watch {
    int report, pagemap;
    pid_t process;
    size_t part; /* bytes that are mapped at once */
    uint32_t count;
    struct cw_snapshot_range ranges[];
};

static struct watch *watch;

static void look_at(const struct cw_snapshot_range *range)
{
    uint64_t entries[AT_ONCE];
    uint32_t touched[AT_ONCE];
    const uint64_t pages = range->size / CW_PAGE;
    for (uint64_t done = 0; done < pages; done += AT_ONCE) {
        size_t count = 0, wanted = pages - done < AT_ONCE ? pages - done : AT_ONCE;
        off_t at = (off_t)((range->address / CW_PAGE + done) * sizeof *entries);
        if (pread(watch->pagemap, entries, wanted * sizeof *entries, at) != (ssize_t)(wanted * sizeof *entries))
            return;
        for (size_t n = 0; n < wanted; n++) {
            uint32_t page = (uint32_t)(range->offset / CW_PAGE + done + n);
            if (entries[n] & PRESENT)
                touched[count++] = entries[n] & OF_FILE ? page : page | WRITTEN;
        }
        if (write(watch->report, touched, count * sizeof *touched) < 0)
            return;
    }
}

/* The last thing that the program does. */
static void report(void)
{
    if (getpid() != watch->process) /* a child that has not executed another program */
        return;
    for (uint32_t n = 0; n < watch->count; n++)
        look_at(&watch->ranges[n]);
}

static int open_high(const char *path, int flags)
{
    int fd = sys_openat(AT_FDCWD, path, flags | O_CLOEXEC, 0600);
    int high = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
    sys_close(fd);
    return high;
}

/* Few enough parts for the kernel. */
static size_t part_size(const struct cw_view *view)
{
    size_t part = CW_PAGE;
    while (view->head->size / part > MOST_PARTS)
        part *= 2;
    return part;
}

void cw_working_set_watch(const struct cw_view *view)
{
    /* The caller of a setuid program shall have no file written in its owner's name. */
    const char *path = getauxval(AT_SECURE) ? NULL : getenv(VARIABLE);
    if (!path || !*path)
        return;
    size_t size = view->head->ranges * sizeof *view->ranges;
    struct watch *made = mmap(NULL, sizeof *made + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED)
        return;
    *made = (struct watch){.process = getpid(), .part = part_size(view), .count = view->head->ranges};
    memcpy(made->ranges, view->ranges, size);
    made->report = open_high(path, O_WRONLY | O_CREAT | O_TRUNC);
    made->pagemap = open_high("/proc/self/pagemap", O_RDONLY);
    unsetenv(VARIABLE);
    if (made->report >= 0 && made->pagemap >= 0 && atexit(report) == 0)
        watch = made;
}

/* A mapping ends where other advice was given, and the kernel maps nothing around a page beyond that. */
void cw_working_set_part(char *at, size_t size)
{
    if (!watch)
        return;
    for (size_t done = 0; done + watch->part <= size; done += 2 * watch->part)
        (void)madvise(at + done, watch->part, MADV_RANDOM);
}

/* By writes, as a page that is read first would be mapped with those around it. MADV_POPULATE_WRITE takes as long: runs
 * are short. */
static void copy_pages(char *at, size_t size)
{
    for (size_t done = 0; done < size; done += CW_PAGE)
        __asm__ volatile("lock orb $0, (%0)" : : "r"(at + done) : "memory", "cc");
}

void cw_working_set_load(const struct cw_view *view)
{
    if (!watch)
        cw_view_each_run(view, copy_pages);
}
