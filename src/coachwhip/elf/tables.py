"""Checked access to the tables of an ELF file. Pure."""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap

__all__ = [
    "DT_NEEDED",
    "DT_RPATH",
    "DT_RUNPATH",
    "DT_SONAME",
    "ElfError",
    "ElfFile",
    "Header",
    "Symbol",
    "Version",
    "is_elf",
]

_MAGIC = b"\x7fELF"
_MACHINES = {3: "i686", 21: "ppc64", 22: "s390x", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
_TYPES = {1: "object", 2: "executable", 3: "shared", 4: "core"}

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
DT_NEEDED, _DT_HASH, _DT_STRTAB, _DT_SYMTAB, _DT_STRSZ = 1, 4, 5, 6, 10
DT_SONAME, DT_RPATH, DT_RUNPATH, _DT_GNU_HASH = 14, 15, 29, 0x6FFFFEF5
_DT_VERSYM, _DT_VERDEF, _DT_VERDEFNUM, _DT_VERNEED, _DT_VERNEEDNUM = (
    0x6FFFFFF0,
    0x6FFFFFFC,
    0x6FFFFFFD,
    0x6FFFFFFE,
    0x6FFFFFFF,
)
_VER_FLG_WEAK = 2
_VERSION_INDEX = 0x7FFF
_STB_LOCAL, _STB_WEAK = 0, 2


class ElfError(ValueError):
    """The bytes are not a well-formed ELF file."""


@dataclass(frozen=True)
class Header:
    """What kind of ELF file it is.

    Attributes:
        machine: as `uname -m` gives it; `unknown-N` for machine numbers that are not known here.
        bits: 32 or 64.
        little_endian: byte order.
        type: `object`, `executable`, `shared` (position-independent executables too) or `core`.
    """

    machine: str
    bits: int
    little_endian: bool
    type: str


@dataclass(frozen=True)
class Symbol:
    """An entry of the dynamic symbol table.

    Attributes:
        name: of the symbol.
        version: that it has or needs, `GLIBC_2.17`; empty when it has none.
        library: the library that must have that version; empty for defined symbols and without a version.
        defined: whether the file offers it (else it needs it).
        weak: whether it may stay undefined, or be overridden.
    """

    name: str
    version: str
    library: str
    defined: bool
    weak: bool


@dataclass(frozen=True)
class _Layout:
    """Struct formats of one class of ELF files, and how many fields come before those of interest."""

    header: str
    segment: str
    dynamic: str
    symbol: str


_LAYOUTS = {
    1: _Layout("HHIIIIIHHHHHH", "IIIIIIII", "iI", "IIIBBH"),
    2: _Layout("HHIQQQIHHHHHH", "IIQQQQQQ", "qQ", "IBBHQQ"),
}


@dataclass(frozen=True)
class Version:
    """A version of symbols that a library offers or needs; weak when it may be missing."""

    name: str
    library: str
    weak: bool


def is_elf(data: bytes | mmap) -> bool:
    """Return whether the bytes begin as an ELF file does."""
    return data[:4] == _MAGIC


class ElfFile:
    """Checked access to the tables of an ELF file."""

    def __init__(self, data: bytes | mmap) -> None:
        self._data = data
        self._size = len(data)
        if not is_elf(data):
            raise ElfError("not an ELF file")
        ident = self._bytes(0, 16)
        layout = _LAYOUTS.get(ident[4])
        if layout is None or ident[5] not in (1, 2):
            raise ElfError("an ELF file of an unknown class or byte order")
        self._layout = layout
        self._order = "<" if ident[5] == 1 else ">"
        fields = self._unpack(layout.header, 16)
        self.header = Header(
            machine=_MACHINES.get(fields[1], f"unknown-{fields[1]}"),
            bits=32 * ident[4],
            little_endian=ident[5] == 1,
            type=_TYPES.get(fields[0], f"unknown-{fields[0]}"),
        )
        self._loads: list[tuple[int, int, int]] = []
        self._dynamic: dict[int, list[int]] = {}
        #: Whether it names a loader to be started by.
        self.program = False
        self._read_segments(offset=fields[4], size=fields[8], count=fields[9])

    def value(self, tag: int) -> int:
        """Return the value of a dynamic entry, 0 when there is none."""
        return self._dynamic.get(tag, [0])[0]

    def values(self, tag: int) -> list[int]:
        """Return the values of all dynamic entries with this tag."""
        return self._dynamic.get(tag, [])

    def string(self, offset: int) -> str:
        """Return a string of the dynamic string table; offset 0 is the empty one."""
        if offset == 0:
            return ""
        start = self._offset(self.value(_DT_STRTAB))
        end = min(start + self.value(_DT_STRSZ), self._size)
        stop = self._data.find(b"\0", start + offset, end)
        if offset < 0 or start + offset >= end or stop < 0:
            raise ElfError(f"a name lies outside of the string table (offset {offset})")
        return self._bytes(start + offset, stop - start - offset).decode("utf-8", "backslashreplace")

    def needed_versions(self) -> Iterator[tuple[int, Version]]:
        """Yield the symbol versions needed from other libraries, by their index."""
        # More entries than the file has room for can only be a loop of overlapping ones.
        room = self._size // struct.calcsize("IHHII")
        for entry, (_, count, file, first, _next) in self._chain("HHIII", _DT_VERNEED, _DT_VERNEEDNUM, 4):
            library = self.string(file)
            position = entry + first
            room -= count
            if room < 0:
                raise ElfError("its version table is larger than the file")
            for _ in range(count):
                _hash, flags, index, name, step = self._unpack("IHHII", position)
                weak = bool(flags & _VER_FLG_WEAK)
                yield index & _VERSION_INDEX, Version(self.string(name), library, weak)
                if step == 0:
                    break
                position += step

    def defined_versions(self) -> Iterator[tuple[int, str]]:
        """Yield the symbol versions that the file offers, by their index."""
        for entry, fields in self._chain("HHHHIII", _DT_VERDEF, _DT_VERDEFNUM, 6):
            name, _ = self._unpack("II", entry + fields[5])
            yield fields[2] & _VERSION_INDEX, self.string(name)

    def name_of_version(self, indices: list[int]) -> str:
        """Return the name of one symbol with one of these version indices; empty when there is none."""
        table = self._version_table() if indices else None
        for index in indices:
            if table is not None and index in table:
                position = self._offset(self.value(_DT_SYMTAB)) + table.index(index) * self._symbol_size
                return self.string(self._unpack("I", position)[0])
        return ""

    def symbols(self, versions: dict[int, Version]) -> Iterator[Symbol]:
        """Yield the dynamic symbols that are not local."""
        count = self._symbol_count()
        start = self._offset(self.value(_DT_SYMTAB)) if count else 0
        table = self._version_table()
        raw = self._bytes(start, count * self._symbol_size)
        for number, fields in enumerate(struct.iter_unpack(self._order + self._layout.symbol, raw)):
            info, section = (fields[1], fields[3]) if self.header.bits == 64 else (fields[3], fields[5])  # noqa: PLR2004
            if info >> 4 == _STB_LOCAL:
                continue
            index = table[number] & _VERSION_INDEX if table is not None and number < len(table) else 0
            version = versions.get(index, Version("", "", weak=False))
            yield Symbol(
                name=self.string(fields[0]),
                version=version.name,
                library="" if section else version.library,
                defined=section != 0,
                weak=info >> 4 == _STB_WEAK,
            )

    @property
    def _symbol_size(self) -> int:
        return struct.calcsize(self._order + self._layout.symbol)

    def _read_segments(self, *, offset: int, size: int, count: int) -> None:
        if count and size < struct.calcsize(self._order + self._layout.segment):
            raise ElfError("its program headers are too small")
        dynamic = None
        for number in range(count):
            fields = self._unpack(self._layout.segment, offset + number * size)
            position, address, length = (
                (fields[2], fields[3], fields[5])
                if self.header.bits == 64  # noqa: PLR2004
                else (fields[1], fields[2], fields[4])
            )
            if fields[0] == _PT_LOAD:
                self._loads.append((address, position, length))
            elif fields[0] == _PT_DYNAMIC:
                dynamic = position, length
            elif fields[0] == _PT_INTERP:
                self.program = True
        if dynamic is not None:
            self._read_dynamic(*dynamic)

    def _read_dynamic(self, position: int, length: int) -> None:
        layout = self._order + self._layout.dynamic
        raw = self._bytes(position, length - length % struct.calcsize(layout))
        for tag, value in struct.iter_unpack(layout, raw):
            if tag == 0:
                return
            self._dynamic.setdefault(tag, []).append(value)

    def _chain(
        self, layout: str, table: int, number: int, link: int
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield offset and fields of a linked table's entries; field `link` is the step to the next."""
        if not self.value(table):
            return
        position = self._offset(self.value(table))
        for _ in range(min(self.value(number), self._size // struct.calcsize(layout))):
            fields = self._unpack(layout, position)
            yield position, fields
            if fields[link] == 0:
                return
            position += fields[link]

    def _version_table(self) -> array[int] | None:
        """Return the version index of each dynamic symbol; None when there are no versions."""
        address = self.value(_DT_VERSYM)
        if not address:
            return None
        return self._array("H", self._offset(address), self._symbol_count())

    def _symbol_count(self) -> int:
        """Return the number of dynamic symbols, which only the hash tables tell."""
        if address := self.value(_DT_HASH):
            # s390x has 8-byte entries here; the count would be wrong, but stays within bounds.
            return self._within_file(self._unpack("II", self._offset(address))[1])
        if not (address := self.value(_DT_GNU_HASH)):
            return 0
        start = self._offset(address)
        buckets, first, bloom, _shift = self._unpack("IIII", start)
        chains = start + 16 + bloom * self.header.bits // 8 + buckets * 4
        last = max(self._array("I", chains - buckets * 4, buckets), default=0)
        if last < first:
            return self._within_file(first)
        position = chains + (last - first) * 4
        while not self._unpack("I", position)[0] & 1:
            position += 4
        return self._within_file(first + (position - chains) // 4 + 1)

    def _within_file(self, count: int) -> int:
        if count * self._symbol_size > self._size:
            raise ElfError("its symbol table is larger than the file")
        return count

    def _array(self, code: str, position: int, count: int) -> array[int]:
        values = array(code, self._bytes(position, count * array(code).itemsize))
        if self.header.little_endian != (sys.byteorder == "little"):
            values.byteswap()
        return values

    def _offset(self, address: int) -> int:
        """Return where in the file the byte is that gets loaded to an address."""
        for start, position, length in self._loads:
            if start <= address < start + length:
                return position + address - start
        raise ElfError(f"address {address:#x} is not part of the file")

    def _bytes(self, position: int, length: int) -> bytes:
        if position < 0 or length < 0 or position + length > self._size:
            raise ElfError("a table lies outside of the file")
        return self._data[position : position + length]

    def _unpack(self, layout: str, position: int) -> tuple[int, ...]:
        layout = self._order + layout
        return struct.unpack(layout, self._bytes(position, struct.calcsize(layout)))
