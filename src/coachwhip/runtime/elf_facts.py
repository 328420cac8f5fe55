"""Reads from ELF files and static libraries what making a runtime needs. Pure: bytes in, values out."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from elftools.elf.elffile import ELFFile

__all__ = [
    "Section",
    "Symbols",
    "archive_index",
    "executable_symbols",
    "exported_names",
    "referenced_functions",
    "sections",
]

_AR_MAGIC, _AR_HEADER = 8, 60
#: R_X86_64_64 and R_X86_64_GLOB_DAT: the address of a symbol.
_ADDRESSES = (1, 6)


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
        versions: version names that it requires of libraries, `GLIBC_2.17`.
    """

    exported: frozenset[str]
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
    """Return the dynamic symbols of an executable."""
    file = ELFFile(io.BytesIO(image))
    versions: set[str] = set()
    for section in file.iter_sections("SHT_GNU_verneed"):
        for _, auxiliaries in _any(section).iter_versions():
            versions.update(auxiliary.name for auxiliary in auxiliaries)
    return Symbols(
        exported=frozenset(_defined(file)),
        versions=frozenset(versions),
    )


def exported_names(image: bytes) -> frozenset[str]:
    """Return what a shared library offers."""
    return frozenset(_defined(ELFFile(io.BytesIO(image))))


def referenced_functions(image: bytes) -> frozenset[str]:
    """Return the functions of other libraries whose addresses the loader writes into an executable's data.

    Functions that are only called are not among them, nor those that every executable refers to (they
    begin with two underscores) or that may be missing.
    """
    file = ELFFile(io.BytesIO(image))
    found = set()
    for section in file.iter_sections("SHT_RELA"):
        symbols = _any(file.get_section(section["sh_link"]))
        for relocation in _any(section).iter_relocations():
            symbol = symbols.get_symbol(relocation["r_info_sym"])
            kind, bind = symbol["st_info"]["type"], symbol["st_info"]["bind"]
            foreign = symbol["st_shndx"] == "SHN_UNDEF" and not symbol["st_value"]
            if (
                relocation["r_info_type"] in _ADDRESSES
                and foreign
                and (kind, bind) == ("STT_FUNC", "STB_GLOBAL")
            ):
                found.add(symbol.name)
    return frozenset(name for name in found if not name.startswith("__"))


def archive_index(data: bytes) -> frozenset[str]:
    """Return the global names that a static library defines, hidden ones included, from its index.

    Raises:
        ValueError: it is not a static library with an index as GNU and LLVM write it.
    """
    kind = data[_AR_MAGIC : _AR_MAGIC + 16].rstrip()
    if not data.startswith(b"!<arch>\n") or kind not in (b"/", b"/SYM64/"):
        raise ValueError("not a static library with an index")
    size = int(data[_AR_MAGIC + 48 : _AR_MAGIC + 58])
    index = data[_AR_MAGIC + _AR_HEADER : _AR_MAGIC + _AR_HEADER + size]
    width = 4 if kind == b"/" else 8
    count = int.from_bytes(index[:width], "big")
    names = index[width * (count + 1) :].split(b"\0")[:count]
    return frozenset(name.decode() for name in names)


def _defined(file: Any) -> set[str]:  # noqa: ANN401  (pyelftools has no types)
    section = file.get_section_by_name(".dynsym")
    if section is None:
        return set()
    return {
        symbol.name
        for symbol in section.iter_symbols()
        if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["bind"] != "STB_LOCAL"
    }


def _any(value: Any) -> Any:  # noqa: ANN401  (a section class that pyelftools chooses at run time)
    return value
