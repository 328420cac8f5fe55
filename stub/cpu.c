#include "cpu.h"

#include <cpuid.h>

/* CPUID leaves 1 and 7, the extended leaf 0x80000001, and the register sets that the kernel keeps (XCR0): Intel 64 and
 * IA-32 Architectures Software Developer's Manual, volume 2, CPUID. */
void cw_cpu_read(uint32_t words[CW_CPU_WORDS])
{
    uint32_t a, b, c, d;
    for (int n = 0; n < CW_CPU_WORDS; n++)
        words[n] = 0;
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        words[0] = c;
        words[1] = d;
        if (c & bit_OSXSAVE) {
            uint32_t high;
            __asm__("xgetbv" : "=a"(words[5]), "=d"(high) : "c"(0));
        }
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        words[2] = b;
        words[3] = c;
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d))
        words[4] = c;
}

bool cw_cpu_has(const uint32_t words[CW_CPU_WORDS])
{
    uint32_t own[CW_CPU_WORDS], wanted = 0;
    for (int n = 0; n < CW_CPU_WORDS; n++)
        wanted |= words[n];
    if (!wanted) /* in a virtual machine each question takes a noticeable part of a start */
        return true;
    cw_cpu_read(own);
    for (int n = 0; n < CW_CPU_WORDS; n++)
        if (words[n] & ~own[n])
            return false;
    return true;
}
