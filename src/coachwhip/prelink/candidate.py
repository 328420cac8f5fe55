"""A packaged library as it is before it has an address: its parts, and whether it can be prelinked at all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coachwhip.elf.loadable import DynamicSymbol, LoadableFile, Segment
from coachwhip.elf.tables import DT_SONAME, ElfError
from coachwhip.prelink.model import PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coachwhip.prelink.model import Native

__all__ = [
    "COMMON_TYPES",
    "DT_SYMBOLIC",
    "Candidate",
    "Refusal",
    "defined",
    "is_program",
    "page_down",
    "page_up",
    "read_candidate",
]

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_TLS = 1, 2, 3, 7
PT_EH_FRAME, PT_RELRO = 0x6474E550, 0x6474E552
PF_X, PF_W, PF_R = 1, 2, 4
DT_REL, DT_TEXTREL, DT_SYMBOLIC, DT_FLAGS = 17, 22, 16, 30
DF_SYMBOLIC, DF_TEXTREL = 2, 4
STB_GLOBAL, STB_WEAK, STB_UNIQUE = 1, 2, 10
STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_COMMON, STT_TLS, STT_IFUNC = 0, 1, 2, 5, 6, 10
COMMON_TYPES = frozenset({STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_COMMON, STT_TLS, STT_IFUNC})
#: Alignments above this are for huge pages, which a file's pages do not become.
_MOST_ALIGNED = 2 << 20


class Refusal(Exception):  # noqa: N818  (no error: the library goes another way)
    """This library can't be prelinked; the text says why."""


def page_down(address: int) -> int:
    """Return the start of the page."""
    return address // PAGE * PAGE


def page_up(address: int) -> int:
    """Return the end of the page, or the address itself where a page starts."""
    return -(-address // PAGE) * PAGE


def defined(symbol: DynamicSymbol) -> bool:
    """Return whether others can find the symbol's definition here, by the rules of ld.so."""
    return (
        symbol.defined
        and symbol.binding in (STB_GLOBAL, STB_WEAK, STB_UNIQUE)
        and symbol.type in COMMON_TYPES
        and (symbol.value != 0 or symbol.absolute or symbol.type == STT_TLS)
    )


@dataclass(frozen=True)
class Candidate:
    """A library that can be prelinked.

    Attributes:
        native: what it was read from.
        loads: its PT_LOAD segments.
        start: its first address, in whole pages; `end` is behind the last one.
        alignment: what its address must be a multiple of.
        relro: the pages that become read-only.
        symbols: its dynamic symbols; `exports` has those that it offers by name.
        symbolic: whether it prefers its own symbols to everybody else's.
    """

    native: Native
    file: LoadableFile
    loads: tuple[Segment, ...]
    start: int
    end: int
    alignment: int
    relro: tuple[int, int]
    symbols: list[DynamicSymbol]
    exports: Mapping[str, list[DynamicSymbol]]
    symbolic: bool

    @property
    def soname(self) -> str:
        """DT_SONAME or empty."""
        return self.file.string(self.file.value(DT_SONAME))

    def segment(self, kind: int) -> Segment | None:
        """Return the first program header of a type."""
        return next((segment for segment in self.file.segments if segment.type == kind), None)

    def holds(self, address: int, size: int) -> bool:
        """Return whether the file has content for these bytes of memory."""
        return any(s.address <= address and address + size <= s.address + s.size for s in self.loads)


def is_program(content: bytes) -> bool:
    """Return whether a native file is a program, and not something that programs load."""
    try:
        file = LoadableFile(content)
    except ElfError:
        return False
    return file.header.type != "shared" or any(s.type == PT_INTERP for s in file.segments)


def read_candidate(native: Native) -> Candidate:
    """Read a library.

    Raises:
        Refusal: it can't be prelinked.
    """
    try:
        file = LoadableFile(native.content)
        symbols = file.all_symbols()
    except ElfError as error:
        raise Refusal(str(error)) from error
    loads = tuple(s for s in file.segments if s.type == PT_LOAD)
    _check(file, loads)
    exports = defaultdict(list)
    for symbol in symbols:
        if defined(symbol):
            exports[symbol.name].append(symbol)
    return Candidate(
        native=native,
        file=file,
        loads=loads,
        start=page_down(loads[0].address),
        end=page_up(max(s.address + s.room for s in loads)),
        alignment=min(max(PAGE, *(s.alignment for s in loads)), _MOST_ALIGNED),
        relro=_relro(file),
        symbols=symbols,
        exports=exports,
        symbolic=bool(file.values(DT_SYMBOLIC) or file.value(DT_FLAGS) & DF_SYMBOLIC),
    )


def _relro(file: LoadableFile) -> tuple[int, int]:
    for segment in file.segments:
        if segment.type == PT_RELRO:
            return page_down(segment.address), page_down(segment.address + segment.room)
    return 0, 0


def _check(file: LoadableFile, loads: tuple[Segment, ...]) -> None:
    if not loads or file.value(DT_SONAME) < 0:
        raise Refusal("it has no segment to load")
    if file.values(DT_TEXTREL) or file.value(DT_FLAGS) & DF_TEXTREL:
        raise Refusal("its code would have to be changed (text relocations)")
    if file.values(DT_REL):
        raise Refusal("it has relocations without addends")
    last = 0
    for segment in loads:
        if segment.size > segment.room or segment.offset + segment.size > len(file.data):
            raise Refusal("a segment lies outside of the file")
        if segment.flags & PF_W and segment.flags & PF_X:
            raise Refusal("it has memory that is writable and executable")
        if page_down(segment.address) < last:
            raise Refusal("two of its segments share a page")
        last = page_up(segment.address + segment.room)
    table = file.headers_offset, file.headers_offset + 56 * file.headers_count
    if not any(s.offset <= table[0] and table[1] <= s.offset + s.size for s in loads):
        raise Refusal("its program headers are not part of its memory")
