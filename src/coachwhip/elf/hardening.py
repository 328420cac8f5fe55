"""What an executable has against the exploitation of memory errors, read from its bytes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from coachwhip.elf.loadable import DT_FLAGS, DT_TEXTREL, LoadableFile

__all__ = ["Hardening", "hardening"]

_PT_LOAD, _PT_GNU_STACK, _PT_GNU_RELRO = 1, 0x6474E551, 0x6474E552
_EXECUTE, _WRITE = 1, 2
_DT_BIND_NOW, _DT_FLAGS_1 = 24, 0x6FFFFFFB
_DF_TEXTREL, _DF_BIND_NOW, _DF_1_NOW = 4, 8, 1


@dataclass(frozen=True)
class Hardening:
    """Facts about an executable.

    Attributes:
        position_independent: the kernel chooses its address, and that of its heap, anew for each process.
        relro: what only the loader writes to is read-only afterwards.
        bind_now: the addresses of other libraries' functions are among that: all are known at the start.
        constant_code: the loader has nothing to change in it.
        separate_code: no part of its memory is writable and executable.
        data_stack: its stack is not executable.
        stack_protector: functions notice that the stack was overwritten before they return.
    """

    position_independent: bool
    relro: bool
    bind_now: bool
    constant_code: bool
    separate_code: bool
    data_stack: bool
    stack_protector: bool

    @property
    def complete(self) -> bool:
        """Whether it has all of it."""
        return not self.lacks

    @property
    def lacks(self) -> tuple[str, ...]:
        """Names of the attributes that are false."""
        return tuple(name for name, value in vars(self).items() if not value)


def hardening(data: bytes) -> Hardening:
    """Return what an executable has.

    Raises:
        ElfError: the bytes are not a well-formed ELF file for x86-64.
    """
    file = LoadableFile(data)
    flags, flags_1 = file.value(DT_FLAGS), file.value(_DT_FLAGS_1)
    stacks = [segment.flags for segment in file.segments if segment.type == _PT_GNU_STACK]
    both = _WRITE | _EXECUTE
    return Hardening(
        position_independent=file.header.type == "shared" and file.program,
        relro=any(segment.type == _PT_GNU_RELRO for segment in file.segments),
        bind_now=bool(flags & _DF_BIND_NOW or flags_1 & _DF_1_NOW or file.values(_DT_BIND_NOW)),
        constant_code=not (flags & _DF_TEXTREL or file.values(DT_TEXTREL)),
        separate_code=all(s.flags & both != both for s in file.segments if s.type == _PT_LOAD),
        data_stack=bool(stacks) and not any(flags & _EXECUTE for flags in stacks),
        stack_protector=any(s.name == "__stack_chk_fail" and not s.defined for s in file.all_symbols()),
    )
