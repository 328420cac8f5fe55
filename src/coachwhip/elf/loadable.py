"""What a loader needs of a 64-bit little-endian library: segments, symbols with values, relocations. Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from coachwhip.elf.tables import ElfError, ElfFile

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DynamicSymbol", "LoadableFile", "Segment"]

DT_PLTRELSZ, DT_RELA, DT_RELASZ, DT_JMPREL, DT_REL, DT_TEXTREL, DT_FLAGS = 2, 7, 8, 23, 17, 22, 30
DT_RELRSZ, DT_RELR = 35, 36
DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_VERSYM = 5, 6, 10, 0x6FFFFFF0
_VERSION_HIDDEN = 0x8000
_RELA = struct.Struct("<QQq")
_WORD_BITS = 64


class Segment(NamedTuple):
    """A program header; addresses are relative to where the library is loaded."""

    type: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    room: int
    alignment: int


class DynamicSymbol(NamedTuple):
    """An entry of the dynamic symbol table; `binding`, `type` and `visibility` as in elf(5).

    Attributes:
        version: that it has or needs, empty when it has none.
        hidden: only references that name its version find it.
        value: address relative to where the library is loaded, or offset in its thread-local storage.
    """

    name: str
    version: str
    hidden: bool
    binding: int
    type: int
    visibility: int
    defined: bool
    absolute: bool
    value: int
    size: int


class LoadableFile(ElfFile):
    """A shared library as the dynamic loader sees it.

    Raises:
        ElfError: it is no well-formed library for x86-64.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data
        if (self.header.machine, self.header.bits, self.header.little_endian) != ("x86_64", 64, True):
            raise ElfError(f"a library for {self.header.machine}")
        fields = self._unpack("HHIQQQIHHHHHH", 16)
        self.headers_offset, self.headers_count = fields[4], fields[9]
        self.segments = tuple(
            Segment(*self._unpack("IIQQQQQQ", self.headers_offset + n * fields[8]))
            for n in range(self.headers_count)
        )

    @property
    def symbol_count(self) -> int:
        """The number of dynamic symbols, local ones included."""
        return self._symbol_count() if self.value(DT_SYMTAB) else 0

    def all_symbols(self) -> list[DynamicSymbol]:
        """Return every dynamic symbol, in the order that relocations refer to."""
        count = self.symbol_count
        if not count:
            return []
        versions = dict(self.defined_versions())
        versions |= {index: version.name for index, version in self.needed_versions()}
        # Version 1 is "none": its name in the table is the library's own.
        versions[0] = versions[1] = ""
        indices = self._version_table() or [1] * count
        raw = self._bytes(self._offset(self.value(DT_SYMTAB)), count * self._symbol_size)
        names = self._names()
        found = []
        for fields, index in zip(struct.iter_unpack("<IBBHQQ", raw), indices, strict=True):
            name, info, other, section, value, size = fields
            found.append(
                DynamicSymbol(
                    name=names(name),
                    version=versions.get(index & ~_VERSION_HIDDEN, ""),
                    hidden=bool(index & _VERSION_HIDDEN),
                    binding=info >> 4,
                    type=info & 15,
                    visibility=other & 3,
                    defined=section != 0,
                    absolute=section == 0xFFF1,  # noqa: PLR2004  (SHN_ABS)
                    value=value,
                    size=size,
                )
            )
        return found

    def relocations(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield the relocations with addends in the order in which the loader applies them.

        Each is an address, a type, the number of a dynamic symbol, and an addend. There may be a great many.
        """
        for table, size in ((DT_RELA, DT_RELASZ), (DT_JMPREL, DT_PLTRELSZ)):
            if self.value(table) and self.value(size):
                raw = self._bytes(
                    self._offset(self.value(table)), self.value(size) // _RELA.size * _RELA.size
                )
                for address, info, addend in _RELA.iter_unpack(raw):
                    yield address, info & 0xFFFFFFFF, info >> 32, addend

    def relative_addresses(self) -> Iterator[int]:
        """Yield the places that DT_RELR says hold an address relative to the library's start."""
        if not self.value(DT_RELR):
            return
        raw = self._bytes(self._offset(self.value(DT_RELR)), self.value(DT_RELRSZ) // 8 * 8)
        position = 0
        for (entry,) in struct.iter_unpack("<Q", raw):
            if not entry & 1:
                yield entry
                position = entry + 8
                continue
            for bit in range(_WORD_BITS - 1):
                if entry >> (bit + 1) & 1:
                    yield position + 8 * bit
            position += 8 * (_WORD_BITS - 1)

    def _names(self) -> _Names:
        start = self._offset(self.value(DT_STRTAB))
        return _Names(self._bytes(start, self.value(DT_STRSZ)))


class _Names:
    """The dynamic string table."""

    def __init__(self, table: bytes) -> None:
        self._table = table

    def __call__(self, offset: int) -> str:
        stop = self._table.find(b"\0", offset)
        if stop < 0:
            raise ElfError(f"a name lies outside of the string table (offset {offset})")
        return self._table[offset:stop].decode("utf-8", "backslashreplace")
