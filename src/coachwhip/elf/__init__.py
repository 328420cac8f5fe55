"""What an ELF file needs and offers, read from its bytes. Pure.

Read is what the dynamic loader reads: program headers and the dynamic section. Section headers are never
looked at, for they may be missing or wrong in a library that loads well. Tables are scanned as arrays, so
that a library of 100 MB takes no longer than one of 100 kB. Every offset is checked: bytes that are
not a well-formed ELF file give an `ElfError` and nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coachwhip.elf import tables
from coachwhip.elf.quiet import is_quiet
from coachwhip.elf.tables import ElfError, ElfFile, Header, Symbol, Version, is_elf
from coachwhip.model import NativeLib

if TYPE_CHECKING:
    from mmap import mmap

__all__ = ["ElfError", "Header", "Symbol", "is_elf", "native_lib", "read_header", "symbols"]

_GLIBC = re.compile(r"GLIBC_(\d{1,3})\.(\d{1,3})(?:\.\d+)?")
#: Versions that mark a feature of the loader, with the glibc that first had it. Markers that are not in
#: the table are younger than it.
_GLIBC_FEATURES = {"GLIBC_ABI_DT_RELR": (2, 36)}
_GLIBC_NEWER_FEATURE = (2, 42)


def read_header(data: bytes | mmap) -> Header:
    """Return what kind of ELF file it is.

    Raises:
        ElfError: it is none.
    """
    return ElfFile(data).header


def native_lib(data: bytes | mmap) -> NativeLib:
    """Return what an ELF file needs and offers; all empty for one without a dynamic section.

    Raises:
        ElfError: the bytes are not a well-formed ELF file.
    """
    file = ElfFile(data)
    needed = {index: version for index, version in file.needed_versions() if not version.weak}
    floors = {index: floor for index, version in needed.items() if (floor := _glibc(version.name))}
    glibc = max(floors.values(), default=(0, 0))
    highest = [index for index, floor in floors.items() if floor == glibc]
    return NativeLib(
        soname=file.string(file.value(tables.DT_SONAME)),
        needed=tuple(file.string(offset) for offset in file.values(tables.DT_NEEDED)),
        runpath=_paths(file),
        glibc=glibc,
        glibc_symbol=file.name_of_version(highest),
        versions=tuple(sorted({(v.library, v.name) for v in needed.values() if _glibc(v.name) is None})),
        offers=tuple(name for _, name in file.defined_versions()),
        program=file.program,
        quiet=is_quiet(file.symbols({})),
    )


def symbols(data: bytes | mmap) -> tuple[Symbol, ...]:
    """Return the dynamic symbols that are not local, in the order of the table.

    Takes time in proportion to their number: `native_lib` is for when they are not wanted.

    Raises:
        ElfError: the bytes are not a well-formed ELF file.
    """
    file = ElfFile(data)
    versions = {index: Version(name, "", weak=False) for index, name in file.defined_versions()}
    versions |= dict(file.needed_versions())
    return tuple(file.symbols(versions))


def _glibc(version: str) -> tuple[int, int] | None:
    match = _GLIBC.fullmatch(version)
    if match is not None:
        return int(match[1]), int(match[2])
    if version.startswith("GLIBC_ABI_"):
        return _GLIBC_FEATURES.get(version, _GLIBC_NEWER_FEATURE)
    return None


def _paths(file: ElfFile) -> tuple[str, ...]:
    # The loader ignores DT_RPATH where there is a DT_RUNPATH.
    offset = file.value(tables.DT_RUNPATH) or file.value(tables.DT_RPATH)
    return tuple(part for part in file.string(offset).split(":") if part)
