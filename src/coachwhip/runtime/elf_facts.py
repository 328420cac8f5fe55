"""Reads from ELF executables what building and checking a runtime needs. Pure: bytes in, values out."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from elftools.elf.elffile import ELFFile

__all__ = ["Section", "Symbols", "executable_symbols", "exported_names", "sections"]


@dataclass(frozen=True)
class Section:
    """A section's content and where it is linked."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Symbols:
    """What an executable defines and requires.

    Attributes:
        exported: names it offers to libraries that are loaded into it.
        defined: global names that are defined in it, exported or not.
        versions: version names that it requires of libraries, `GLIBC_2.17`.
    """

    exported: frozenset[str]
    defined: frozenset[str]
    versions: frozenset[str]


def sections(image: bytes, *names: str) -> list[Section]:
    """Return sections by name.

    Raises:
        ValueError: one of them is missing.
    """
    file = ELFFile(io.BytesIO(image))
    found = []
    for name in names:
        section = file.get_section_by_name(name)
        if section is None:
            raise ValueError(f"there is no section {name}")
        found.append(Section(section["sh_addr"], section.data()))
    return found


def executable_symbols(image: bytes) -> Symbols:
    """Return the symbols of an executable that has not been stripped."""
    file = ELFFile(io.BytesIO(image))
    versions: set[str] = set()
    for section in file.iter_sections("SHT_GNU_verneed"):
        for _, auxiliaries in _any(section).iter_versions():
            versions.update(auxiliary.name for auxiliary in auxiliaries)
    return Symbols(
        exported=frozenset(_defined(file, ".dynsym", hidden=False)),
        defined=frozenset(_defined(file, ".symtab", hidden=True)),
        versions=frozenset(versions),
    )


def exported_names(image: bytes) -> frozenset[str]:
    """Return what a shared library offers."""
    return frozenset(_defined(ELFFile(io.BytesIO(image)), ".dynsym", hidden=False))


def _defined(file: Any, table: str, *, hidden: bool) -> set[str]:  # noqa: ANN401  (pyelftools has no types)
    section = file.get_section_by_name(table)
    if section is None:
        return set()
    return {
        symbol.name
        for symbol in section.iter_symbols()
        if symbol["st_shndx"] != "SHN_UNDEF"
        and (hidden or symbol["st_info"]["bind"] != "STB_LOCAL")
        and symbol["st_info"]["type"] in ("STT_FUNC", "STT_OBJECT", "STT_TLS", "STT_NOTYPE", "STT_GNU_IFUNC")
    }


def _any(value: Any) -> Any:  # noqa: ANN401  (a section class that pyelftools chooses at run time)
    return value
