/* The unwinder of prelinked libraries: the one that libc unwinds threads with when they are cancelled, which is the
 * machine's libgcc_s. What walks the stack hands its state to functions of the libraries on it, and they hand it back
 * to their libgcc_s: with two of them in a process, of different versions, one would read the state of the other.
 *
 * The machine's library is opened when something is thrown for the first time; where there is none, the product's own
 * copy does. */
#define _GNU_SOURCE 1
#include <dlfcn.h>

#include "native_symbols.h"
#include "natives.h"
#include "next.h"
#include "paths.h"
#include "say.h"

CW_NEXT(dlopen, void *, const char *, int)
CW_NEXT(dlsym, void *, void *, const char *)
CW_NEXT(dlerror, char *, void)

#define LIBGCC "libgcc_s.so.1"

/* Everything in libgcc_s that has to do with unwinding; the rest of it may exist twice. */
#define FUNCTIONS(F)                                                                                         \
    F(0, _Unwind_Backtrace)                                                                                  \
    F(1, _Unwind_DeleteException)                                                                            \
    F(2, _Unwind_FindEnclosingFunction)                                                                      \
    F(3, _Unwind_Find_FDE)                                                                                   \
    F(4, _Unwind_ForcedUnwind)                                                                               \
    F(5, _Unwind_GetCFA)                                                                                     \
    F(6, _Unwind_GetDataRelBase)                                                                             \
    F(7, _Unwind_GetGR)                                                                                      \
    F(8, _Unwind_GetIP)                                                                                      \
    F(9, _Unwind_GetIPInfo)                                                                                  \
    F(10, _Unwind_GetLanguageSpecificData)                                                                   \
    F(11, _Unwind_GetRegionStart)                                                                            \
    F(12, _Unwind_GetTextRelBase)                                                                            \
    F(13, _Unwind_RaiseException)                                                                            \
    F(14, _Unwind_Resume)                                                                                    \
    F(15, _Unwind_Resume_or_Rethrow)                                                                         \
    F(16, _Unwind_SetGR)                                                                                     \
    F(17, _Unwind_SetIP)                                                                                     \
    F(18, __deregister_frame)                                                                                \
    F(19, __deregister_frame_info)                                                                           \
    F(20, __deregister_frame_info_bases)                                                                     \
    F(21, __gcc_personality_v0)                                                                              \
    F(22, __register_frame)                                                                                  \
    F(23, __register_frame_info)                                                                             \
    F(24, __register_frame_info_bases)                                                                       \
    F(25, __register_frame_info_table)                                                                       \
    F(26, __register_frame_info_table_bases)                                                                 \
    F(27, __register_frame_table)

enum { COUNT = 28 };

/* Each function jumps through its place in a table, which leads to the search at first. Nothing is put on the stack
 * in between: the unwinder starts at its caller's frame. */
extern void *cw_unwind_table[COUNT];
void *cw_unwind_find(unsigned long number);

#define FUNCTION(number, name)                                                                               \
    __asm__(".pushsection .text.cw_native_" #name ",\"ax\",@progbits\n"                                      \
            ".globl cw_native_" #name "\n.type cw_native_" #name ",@function\n"                              \
            "cw_native_" #name ": jmpq *cw_unwind_table+8*" #number "(%rip)\n"                               \
            "cw_unwind_first_" #number ": pushq $" #number "\njmp cw_unwind_search\n"                        \
            ".size cw_native_" #name ",.-cw_native_" #name "\n"                                              \
            ".popsection\n"                                                                                  \
            ".pushsection .data.cw_unwind_table,\"aw\",@progbits\n"                                          \
            ".quad cw_unwind_first_" #number "\n.popsection\n");

__asm__(".pushsection .data.cw_unwind_table,\"aw\",@progbits\n.balign 8\n.globl cw_unwind_table\n"
        "cw_unwind_table:\n.popsection\n");
FUNCTIONS(FUNCTION)

/* Keeps the arguments while the function is looked for; the stack has its number on top and is aligned then. */
__asm__(".pushsection .text.cw_unwind_search,\"ax\",@progbits\n"
        "cw_unwind_search: pushq %rdi\npushq %rsi\npushq %rdx\npushq %rcx\npushq %r8\npushq %r9\n"
        "movq 48(%rsp), %rdi\ncall cw_unwind_find\nmovq %rax, %r11\n"
        "popq %r9\npopq %r8\npopq %rcx\npopq %rdx\npopq %rsi\npopq %rdi\n"
        "addq $8, %rsp\njmpq *%r11\n.popsection\n");

#define NAME(number, name) #name,
static const char *const names[COUNT] = {FUNCTIONS(NAME)};

#define FIRST(number, name) extern const char cw_unwind_first_##number[];
FUNCTIONS(FIRST)
#define ADDRESS(number, name) cw_unwind_first_##number,
static const void *const first[COUNT] = {FUNCTIONS(ADDRESS)};

/* The copy that the product carries, if it is loaded: what throws needs it. */
static void *find_carried(const char *name)
{
    const struct cw_node *node = cw_native_named(LIBGCC, NULL);
    const struct cw_library *library = node ? cw_library_of(cw_paths_image(), node) : NULL;
    const Elf64_Sym *symbol = library ? cw_native_find(library, name, NULL) : NULL;
    return symbol ? cw_native_address(library, symbol) : NULL;
}

__attribute__((used)) void *cw_unwind_find(unsigned long number)
{
    void *handle = next_dlopen()(LIBGCC, RTLD_NOW | RTLD_LOCAL);
    for (unsigned n = 0; n < COUNT; n++) {
        void *found = handle ? next_dlsym()(handle, names[n]) : find_carried(names[n]);
        if (found)
            __atomic_store_n(&cw_unwind_table[n], found, __ATOMIC_RELAXED);
    }
    (void)next_dlerror()();
    void *found = __atomic_load_n(&cw_unwind_table[number], __ATOMIC_RELAXED);
    if (found == first[number])
        cw_die(127, cw_self_path(), LIBGCC " must be installed: %s is needed", names[number]);
    return found;
}

void cw_unwind_forget(void)
{
    for (unsigned n = 0; n < COUNT; n++)
        cw_unwind_table[n] = (void *)(uintptr_t)first[n];
}
