/* A product without Python: it loads libraries out of its own image and calls them. Arguments are VERB=TEXT, done one
 * after the other, one line of output each.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image.h"
#include "natives.h"
#include "paths.h"

static struct cw_image image;

static void open_image(void)
{
    static char self[PATH_MAX];
    const ElfW(Phdr) *headers = (const void *)getauxval(AT_PHDR);
    const char *fault = "there is none";
    for (unsigned long n = 0; n < getauxval(AT_PHNUM); n++)
        if (headers[n].p_type == PT_LOAD && headers[n].p_paddr == CW_SEGMENT_TAG)
            fault = cw_image_open(&image, (const void *)headers[n].p_vaddr, headers[n].p_filesz);
    if (fault || readlink("/proc/self/exe", self, sizeof self - 1) < 0) {
        fprintf(stderr, "image: %s\n", fault);
        exit(2);
    }
    cw_paths_start(&image, self);
}

static void *handle;

static void open_library(const char *path)
{
    handle = dlopen(path, RTLD_NOW);
    printf("open %s\n", handle ? "yes" : dlerror());
}

static void call(const char *name)
{
    int (*function)(void) = (int (*)(void))(uintptr_t)dlsym(handle, name);
    if (function)
        printf("%s %d\n", name, function());
    else
        printf("%s\n", dlerror());
}

struct saved {
    void *start, *copy;
    size_t size;
};
static struct saved saved[64];
static size_t saved_count;

static void save(void *context, void *start, size_t size)
{
    (void)context;
    struct saved *one = &saved[saved_count++];
    *one = (struct saved){start, malloc(size), size};
    memcpy(one->copy, start, size);
}

/* As a process that is restored: nothing of the libraries is there but what was saved of them. */
static void restore(void)
{
    cw_natives_ranges(save, NULL);
    munmap((void *)CW_REGION, cw_libraries_end(&image) - CW_REGION);
    int file = cw_natives_restore_begin();
    int mapped = file < 0 ? file : cw_natives_restore_map(file);
    for (size_t n = 0; n < saved_count; n++) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
        void *at = mmap(saved[n].start, saved[n].size, PROT_READ | PROT_WRITE, flags, -1, 0);
        memcpy(at, saved[n].copy, saved[n].size);
    }
    printf("restore %d %d\n", mapped, cw_natives_restored());
}

int main(int argc, char **argv)
{
    open_image();
    for (int n = 1; n < argc; n++) {
        char *text = strchr(argv[n], '=');
        if (text)
            *text++ = '\0';
        if (strcmp(argv[n], "open") == 0)
            open_library(text);
        else if (strcmp(argv[n], "call") == 0)
            call(text);
        else if (strcmp(argv[n], "restore") == 0)
            restore();
        fflush(stdout);
    }
    return 0;
}
