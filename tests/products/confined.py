"""Has a program run where some system calls are refused, as in a container: filters of seccomp(2)."""

from __future__ import annotations

import ctypes
import errno
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["KILL", "Rule", "refusal", "refusing"]

#: x86-64 numbers of the system calls that rules are about.
_NUMBERS = {
    "mmap": 9,
    "mremap": 25,
    "madvise": 28,
    "readlink": 89,
    "personality": 135,
    "prctl": 157,
    "sched_getaffinity": 204,
    "prlimit64": 302,
    "getrandom": 318,
    "memfd_create": 319,
}

KILL = 0x80000000
_ERRNO, _ALLOW = 0x00050000, 0x7FFF0000

# Of <linux/bpf_common.h>: load a word, jump if equal, if not less, if any bit is set; return.
_LOAD, _EQUAL, _NOT_LESS, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
#: Where a filter sees the first and the fourth argument.
_ADDRESS, _FLAGS = 16, 40
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2


@dataclass(frozen=True)
class Rule:
    """A system call that is refused.

    Attributes:
        name: which one.
        flags: of mmap, only where one of these is set; 0 for always.
        between: of mmap, only for addresses within these bounds, in GiB.
    """

    name: str
    flags: int = 0
    between: tuple[int, int] | None = None


def refusal(code: int) -> int:
    """What a filter returns for a call that fails with this errno."""
    return _ERRNO | code


def _instruction(code: int, value: int, then: int = 0, other: int = 0) -> bytes:
    return struct.pack("<HBBI", code, then, other, value)


def _of_rule(rule: Rule, action: int) -> bytes:
    """Compare and return; jumps count instructions that are left out."""
    conditions = []  # where a word is, how it is compared, whether the comparison has to hold
    if rule.flags:
        conditions.append((_FLAGS, _ANY_BIT, rule.flags, True))
    if rule.between:
        first, last = (gib >> 2 for gib in rule.between)  # as the upper halves of addresses have them
        conditions.append((_ADDRESS + 4, _NOT_LESS, first, True))
        conditions.append((_ADDRESS + 4, _NOT_LESS, last, False))
    rest = 2 * len(conditions) + 1
    code = _instruction(_LOAD, 0) + _instruction(_EQUAL, _NUMBERS[rule.name], 0, rest)
    for place, comparison, value, wanted in conditions:
        rest -= 2
        ways = (0, rest) if wanted else (rest, 0)
        code += _instruction(_LOAD, place) + _instruction(comparison, value, *ways)
    return code + _instruction(_RETURN, action)


def refusing(rules: Sequence[Rule], action: int = refusal(errno.EPERM)) -> Callable[[], None]:
    """Return a function for the child of a fork, which confines what it executes."""
    code = b"".join(_of_rule(rule, action) for rule in rules) + _instruction(_RETURN, _ALLOW)
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))

    def confine() -> None:
        kept = buffer  # as long as the kernel reads it
        if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SET_SECCOMP, _FILTER, program, 0, 0):
            raise OSError(ctypes.get_errno(), f"no filter of {len(kept)} bytes can be set")

    return confine
