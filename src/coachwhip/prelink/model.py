"""What prelinking takes and gives. Addresses are those of a running product."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NO_NODE",
    "PAGE",
    "REGION",
    "REGION_END",
    "SLOTS",
    "STUBS",
    "STUB_SIZE",
    "Fixup",
    "FixupKind",
    "Library",
    "Native",
    "Need",
    "Piece",
    "Prelinked",
    "Protection",
    "Slot",
    "Threads",
]

PAGE = 4096

#: Where prelinked libraries live: above the image, below the heap, the same in every run.
REGION = 0x8_0000_0000
REGION_END = 0x10_0000_0000

#: The jump stubs that lead outside, and the slots that they jump through; libraries come behind both.
STUBS = REGION
SLOTS = REGION + (8 << 20)
FIRST_LIBRARY = REGION + (16 << 20)
STUB_SIZE = 8

#: In place of a node's number: there is none.
NO_NODE = 0xFFFFFFFF


class Protection(IntFlag):
    """How a piece of memory may be used; `RELRO` turns writable memory into readable one after fix-ups."""

    READ = 1
    WRITE = 2
    EXECUTE = 4
    RELRO = 8


class FixupKind(IntEnum):
    """What is written to a place when its library is loaded."""

    #: The address of an outside symbol, plus `value`.
    DATA = 0
    #: The address of the slot's jump stub plus `value` when the symbol exists, else 0.
    WEAK_CALL = 1
    #: What the function at address `value` returns.
    RESOLVED = 2


@dataclass(frozen=True)
class Native:
    """A packaged library.

    Attributes:
        path: below the product's root.
        content: its bytes.
        folders: DT_RUNPATH as paths below the root; those that lead elsewhere are left out.
        needed: DT_NEEDED in order, each with the path of the packaged library that it is, if it is one.
        carried: whether it is a copy of one that machines have, which may be in a process beside theirs.
    """

    path: str
    content: bytes
    folders: tuple[str, ...] = ()
    needed: tuple[tuple[str, str | None], ...] = ()
    carried: bool = False


@dataclass(frozen=True)
class Piece:
    """A run of pages with one protection; `content` is None for memory that starts as zeros."""

    address: int
    size: int
    protection: Protection
    content: bytes | None


@dataclass(frozen=True)
class Need:
    """A library that another one needs: its name and, if it is packaged, its path."""

    name: str
    path: str | None


@dataclass(frozen=True)
class Slot:
    """A symbol of the outside.

    Attributes:
        version: that it must have; empty for any.
        fallback: the address to use when the outside has none; 0 when there is no such.
        weak: whether it may be missing.
    """

    name: str
    version: str
    fallback: int = 0
    weak: bool = False


@dataclass(frozen=True)
class Fixup:
    """What is left to be done at one place when the library is loaded."""

    address: int
    kind: FixupKind
    slot: int
    value: int


@dataclass(frozen=True)
class Threads:
    """A library's thread-local storage.

    Attributes:
        module: number that its code asks for it with, from 1.
        image: address of the first bytes; `size` of them are copied, the rest up to `room` is zeros.
        offset: where it lies from the thread pointer when it has a fixed place there, else 0.
    """

    module: int
    image: int
    size: int
    room: int
    alignment: int
    offset: int = 0


@dataclass(frozen=True)
class Library:
    """A prelinked library.

    Attributes:
        path: of the file that it was made of, below the product's root.
        base: what the library's own addresses count from.
        start: its first byte in memory; `size` is up to its last one.
        symbols: with `strings`, `hash` (GNU), `versions` and `definitions` the addresses of its tables, 0
            where there is none.
        functions: addresses of the initialisation and finalisation functions, DT_INIT and DT_FINI, 0 for
        none. arrays: address and number of items of DT_INIT_ARRAY and DT_FINI_ARRAY.
        frames: address of the table for unwinding.
        slots: those that must be filled before it runs.
    """

    path: str
    soname: str
    base: int
    start: int
    size: int
    pieces: tuple[Piece, ...]
    needs: tuple[Need, ...]
    folders: tuple[str, ...]
    slots: tuple[int, ...]
    fixups: tuple[Fixup, ...]
    dynamic: int
    headers: tuple[int, int]
    symbols: tuple[int, int]
    strings: tuple[int, int]
    hash: int
    versions: int
    definitions: int
    functions: tuple[int, int]
    arrays: tuple[tuple[int, int], tuple[int, int]]
    frames: int
    threads: Threads | None


@dataclass(frozen=True)
class Prelinked:
    """All prelinked libraries of a product.

    Attributes:
        stub: the stub, with what threads of these libraries start with in it.
        libraries: in the order of their addresses.
        slots: symbols of the outside; jump stub and slot number *n* belong to item *n*.
        refused: libraries that are left to the system's loader, each with the reason.
        originals: by path, the prelinked libraries' files as `originals` packs them, and their sizes.
    """

    stub: bytes
    libraries: tuple[Library, ...]
    slots: tuple[Slot, ...]
    refused: Mapping[str, str]
    originals: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The first address behind all libraries."""
        return max((library.start + library.size for library in self.libraries), default=FIRST_LIBRARY)

    def mapped(self) -> dict[str, int]:
        """Bytes of the image that each library is mapped from, by path."""
        return {
            library.path: sum(len(piece.content) for piece in library.pieces if piece.content is not None)
            for library in self.libraries
        }

    def stubs(self) -> bytes:
        """The jump stubs in whole pages: `jmp *slot(%rip)`, the same distance for all."""
        code = b"\xff\x25" + (SLOTS - STUBS - 6).to_bytes(4, "little") + b"\x66\x90"
        size = STUB_SIZE * len(self.slots)
        return (code * len(self.slots)).ljust(-(-size // PAGE) * PAGE, b"\xcc")
