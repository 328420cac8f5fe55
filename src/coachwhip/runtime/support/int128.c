/* 128-bit division, which the compiler calls as functions.
 *
 * zig's own compiler_rt is one object: linking it for these two would also replace libc's memcpy, memcmp,
 * log2 and fma by slower or less exact ones. */
typedef unsigned __int128 wide;
typedef unsigned long word;

wide __udivti3(wide dividend, wide divisor);
wide __umodti3(wide dividend, wide divisor);

/* The processor divides 128 by 64 bits when the quotient fits into 64. */
static word divide_by_word(word high, word low, word divisor, word *remainder)
{
    word quotient;
    __asm__("divq %4" : "=a"(quotient), "=d"(*remainder) : "0"(low), "1"(high), "r"(divisor));
    return quotient;
}

static wide divide(wide dividend, wide divisor, wide *remainder)
{
    word high = (word)(dividend >> 64), divisor_high = (word)(divisor >> 64);
    if (divisor_high == 0) {
        word small = (word)divisor, rest = high % small, last;
        wide quotient = (wide)(high / small) << 64;
        quotient |= divide_by_word(rest, (word)dividend, small, &last);
        *remainder = last;
        return quotient;
    }
    if (divisor > dividend) {
        *remainder = dividend;
        return 0;
    }
    int shift = __builtin_clzl(divisor_high) - __builtin_clzl(high);
    wide quotient = 0;
    divisor <<= shift;
    for (; shift >= 0; shift--, divisor >>= 1) {
        quotient <<= 1;
        if (dividend >= divisor) {
            dividend -= divisor;
            quotient |= 1;
        }
    }
    *remainder = dividend;
    return quotient;
}

__attribute__((visibility("hidden"))) wide __udivti3(wide dividend, wide divisor)
{
    wide remainder;
    return divide(dividend, divisor, &remainder);
}

__attribute__((visibility("hidden"))) wide __umodti3(wide dividend, wide divisor)
{
    wide remainder;
    divide(dividend, divisor, &remainder);
    return remainder;
}
