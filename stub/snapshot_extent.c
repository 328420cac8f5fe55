#define _GNU_SOURCE 1
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include "heap_pages.h"
#include "snapshot.h"

#include "live.h"

/* Made by the linker. */
extern char __start_cw_live_bss[], __stop_cw_live_bss[];
extern char _end[];

static const ElfW(Phdr) *segment(uint32_t type, const void *inside)
{
    const ElfW(Phdr) *headers = (const void *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);
    for (unsigned long n = 0; n < count; n++) {
        uintptr_t from = headers[n].p_vaddr;
        if (headers[n].p_type != type)
            continue;
        if (!inside || ((uintptr_t)inside >= from && (uintptr_t)inside < from + headers[n].p_memsz))
            return &headers[n];
    }
    return NULL;
}

struct cw_extent cw_static_extent(void)
{
    const ElfW(Phdr) *data = segment(PT_LOAD, __start_cw_live_bss);
    uintptr_t from = data->p_vaddr & ~(uintptr_t)(CW_PAGE - 1);
    uintptr_t to = (data->p_vaddr + data->p_memsz + CW_PAGE - 1) & ~(uintptr_t)(CW_PAGE - 1);
    return (struct cw_extent){(char *)from, (char *)to};
}

struct cw_extent cw_live_extent(void)
{
    return (struct cw_extent){__start_cw_live_bss, __stop_cw_live_bss};
}

/* They end where the thread's descriptor begins (ELF Handling For Thread-Local Storage, variant II). */
struct cw_extent cw_local_extent(void)
{
    const ElfW(Phdr) *locals = segment(PT_TLS, NULL);
    uintptr_t end = (uintptr_t)__builtin_thread_pointer();
    uintptr_t size = locals ? (locals->p_memsz + locals->p_align - 1) & ~(locals->p_align - 1) : 0;
    return (struct cw_extent){(char *)(end - size), (char *)end};
}
