#include "instrumented.h"

#include <stdint.h>
#include <stdlib.h>

#include "heap_early.h"

/* How a program asks valgrind for something: rotations that leave the register as it was, and an exchange that changes
 * nothing (Valgrind User Manual, The Client Request mechanism). On a processor the answer stays 0. */
static bool is_on_valgrind(void)
{
    const uint64_t running_on_valgrind[6] = {0x1001};
    uint64_t answer = 0;
    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\txchgq %%rbx, %%rbx"
                     : "+d"(answer)
                     : "a"(running_on_valgrind)
                     : "cc", "memory");
    return answer != 0;
}

bool cw_malloc_is_replaced(void)
{
    if (!is_on_valgrind())
        return false;
    void *payload = malloc(1);
    bool is_replaced = payload && !cw_early_owns(payload);
    free(payload);
    return is_replaced;
}
