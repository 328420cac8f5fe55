"""Whether native code could be noticed from outside its process, but for what Python does for it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coachwhip.elf.tables import Symbol

__all__ = ["is_quiet"]

#: Functions that only compute, or use memory of the process. What is not named here counts as noticeable.
_QUIET = re.compile(
    r"""
      mem(?:cpy|move|set|cmp|chr|rchr|mem|pcpy) | bcmp | rawmemchr
    | str(?:n?len|n?cmp|n?cpy|n?cat|n?casecmp|r?chr|chrnul|str|c?spn|pbrk|tok_r|n?dup|tou?ll?|to[dfl])
    | stp?cpy
    | ato(?:i|l|ll|f) | (?:v?sn?printf) | to(?:lower|upper)
    | is(?:alnum|alpha|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)
    | __ctype_(?:b|tolower|toupper)_loc | __errno_location
    | malloc | calloc | realloc | reallocarray | free | posix_memalign | aligned_alloc
    | qsort | bsearch | abs | labs | llabs
    | __(?:mem(?:cpy|move|set|pcpy)|str(?:n?cpy|n?cat)|v?sn?printf|longjmp)_chk | __stack_chk_fail
    | (?:_|__sig)?setjmp | longjmp | abort | __assert_fail
    | time | clock | clock_gettime | gettimeofday | getenv
    | pthread_(?:mutex|rwlock|once|key|getspecific|setspecific|self|equal)\w*
    | (?:a?(?:sin|cos|tan)h?|atan2|exp[2m]?1?|log(?:2|10|1p|b)?|ilogb|pow|sqrt|cbrt|hypot|ceil|floor|trunc
      |l?l?round|l?l?rint|nearbyint|fmod|modf|frexp|ldexp|scalbn|fabs|copysign|nextafter
      |[lt]gamma|erfc?|remainder|fmin|fmax|fma|fdim|sincos)[fl]?
    | __tls_get_addr | __cxa_finalize | __gmon_start__ | _ITM_\w+ | _Jv_RegisterClasses
    | _Unwind_\w+ | __gxx_personality_v0 | __cxa_\w+ | _Z(?:n[aw]|d[al])\w+
    | _ZSt\d+__throw_\w+ | _ZSt9terminatev
    | _?Py(?!_At|File_|Run_|Sys_Write|Sys_FormatStd|Err_\w+Unraisable|Err_Print|Err_Display
      |_w?fopen|_read|_write)\w+
    """,
    re.VERBOSE,
)


def is_quiet(symbols: Iterable[Symbol]) -> bool:
    """Whether code that needs no more than these symbols leaves files, devices and other processes alone.

    It may still call Python functions. A destructor that does so has errors to report that it can't raise, by
    `PyErr_WriteUnraisable` or the like, which is therefore not taken for quiet.

    Args:
        symbols: of a library's dynamic table; those that it defines do not count.
    """
    return all(symbol.defined or _QUIET.fullmatch(symbol.name) for symbol in symbols)
