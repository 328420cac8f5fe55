#define _GNU_SOURCE 1
#include "natives_tls.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "natives.h"
#include "next.h"
#include "paths.h"
#include "say.h"
#include "stub.h"

/* Libraries whose code goes from the thread pointer to its variables without asking have them here. Initialised
 * data, since what every thread starts with is written into the executable when a product is built. */
enum { STATIC_ROOM = 4096 };
extern __attribute__((visibility("default"), aligned(64), section(".tdata.cw_static_tls"))) _Thread_local char
    cw_static_tls[STATIC_ROOM];
_Thread_local char cw_static_tls[STATIC_ROOM] = {0};

/* Its place from the thread pointer, which only the linker knows; the builder reads it from the executable. */
__asm__(".pushsection .rodata.cw_static_tls_offset,\"a\",@progbits\n"
        ".globl cw_static_tls_offset\n"
        ".type cw_static_tls_offset,@object\n"
        ".size cw_static_tls_offset,8\n"
        ".balign 8\n"
        "cw_static_tls_offset: .quad cw_static_tls@tpoff\n"
        ".popsection\n");
extern const int64_t cw_static_tls_offset;

/* A TLS descriptor's function, which keeps all registers: the offset is the second word of the descriptor. */
__asm__(".pushsection .text.cw_native_tlsdesc,\"ax\",@progbits\n"
        ".globl cw_native_tlsdesc\n"
        ".type cw_native_tlsdesc,@function\n"
        "cw_native_tlsdesc: movq 8(%rax), %rax\n"
        "ret\n"
        ".size cw_native_tlsdesc,.-cw_native_tlsdesc\n"
        ".popsection\n");
extern void cw_native_tlsdesc(void);

/* A thread's blocks, by module, from 1; NULL where none was asked for. `rounds` counts how often the thread's end has
 * asked for it to be freed. */
struct blocks {
    unsigned rounds;
    void *of[];
};
static _Thread_local struct blocks *blocks;

static pthread_key_t key;
static pthread_once_t key_made = PTHREAD_ONCE_INIT;

/* Other keys' destructors and C++'s may still use the storage, so it goes in the last round. */
static void thread_ends(void *data)
{
    struct blocks *own = data;
    if (++own->rounds < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(key, own) == 0)
        return;
    blocks = NULL;
    uint32_t count = cw_paths_image()->library_count;
    for (uint32_t n = 1; n <= count; n++)
        free(own->of[n]);
    free(own);
}

static void make_key(void)
{
    (void)pthread_key_create(&key, thread_ends);
}

_Noreturn static void die_of_memory(void)
{
    cw_die(CW_EXIT_START, cw_self_path(), "no memory for a thread's variables");
}

static const struct cw_library *library_of(unsigned long module)
{
    const struct cw_image *image = cw_paths_image();
    for (uint32_t n = 0; n < image->library_count; n++)
        if (image->libraries[n].tls_module == module)
            return &image->libraries[n];
    return NULL;
}

static struct blocks *own_blocks(void)
{
    if (!blocks) {
        pthread_once(&key_made, make_key);
        size_t count = (size_t)cw_paths_image()->library_count + 1;
        blocks = calloc(1, sizeof *blocks + count * sizeof(void *));
        if (!blocks)
            die_of_memory();
        (void)pthread_setspecific(key, blocks);
    }
    return blocks;
}

static void *make_block(const struct cw_library *library)
{
    void *block = NULL;
    size_t alignment = library->tls_alignment < sizeof(void *) ? sizeof(void *) : library->tls_alignment;
    if (posix_memalign(&block, alignment, library->tls_room) != 0)
        die_of_memory();
    memcpy(block, (const void *)(uintptr_t)library->tls_image, library->tls_size);
    memset((char *)block + library->tls_size, 0, library->tls_room - library->tls_size);
    return block;
}

static char *thread_pointer(void)
{
    char *pointer;
    __asm__("movq %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

/* Code of old compilers calls it with a stack that is not aligned. */
__attribute__((noinline, force_align_arg_pointer)) static void *slow_address(unsigned long module,
                                                                             unsigned long offset)
{
    const struct cw_library *library = module ? library_of(module) : NULL;
    if (!library)
        return NULL;
    if (library->tls_offset)
        return thread_pointer() + library->tls_offset + offset;
    struct blocks *own = own_blocks();
    if (!own->of[module])
        own->of[module] = make_block(library);
    return (char *)own->of[module] + offset;
}

void *cw_tls_address(unsigned long module, unsigned long offset)
{
    struct blocks *own = blocks;
    if (own && own->of[module])
        return (char *)own->of[module] + offset;
    return slow_address(module, offset);
}

void *cw_native_tls_get_addr(const struct cw_tls_index *index) CW_EXPORT(cw_native___tls_get_addr);
void *cw_native_tls_get_addr(const struct cw_tls_index *index)
{
    return cw_tls_address(index->module, index->offset);
}

void cw_tls_restore(void)
{
    if (blocks) {
        pthread_once(&key_made, make_key);
        (void)pthread_setspecific(key, blocks);
    }
}
