"""Encode the tables of prelinked libraries, and collect their pages."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from coachwhip.image.format import FIXUP, LIBRARY, NEED, NO_CONTENT, PIECE, Section, SlotFlag
from coachwhip.prelink.model import NO_NODE, PAGE, SLOTS, STUB_SIZE, STUBS, Piece, Protection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coachwhip.image.plan import ImagePlan
    from coachwhip.prelink.model import Library, Prelinked

__all__ = ["encode_libraries", "library_pages"]


class _Encoders(NamedTuple):
    string: Callable[[str], bytes]
    list: Callable[[Iterable[str]], bytes]


class _Table:
    """An array of records, of which each library has a run."""

    def __init__(self, size: int) -> None:
        self.data = bytearray()
        self._size = size

    def add(self, records: Iterable[bytes]) -> tuple[int, int]:
        """Append records; return the number of the first one, and how many they are."""
        first = len(self.data) // self._size
        self.data += b"".join(records)
        return first, len(self.data) // self._size - first


def encode_libraries(
    plan: ImagePlan, string: Callable[[str], bytes], list_: Callable[[Iterable[str]], bytes]
) -> dict[Section, bytes]:
    """Return the sections about prelinked libraries; all empty when there are none.

    Args:
        plan: with the libraries.
        string: encodes the reference to a text.
        list_: encodes the reference to a list of texts.
    """
    prelinked = plan.prelinked
    if prelinked is None or not prelinked.libraries:
        order = (Section.LIBRARIES, Section.PIECES, Section.NEEDS, Section.SLOTS, Section.USES)
        return dict.fromkeys((*order, Section.FIXUPS), b"")
    numbers = {node.path: number for number, node in enumerate(plan.nodes)}
    pieces, needs, uses, fixups = _Table(PIECE.size), _Table(NEED.size), _Table(4), _Table(FIXUP.size)
    places = _Places()
    pieces.add(places.encode(piece) for piece in _common_pieces(prelinked))
    records = []
    for library in _in_order(plan):
        spans = (
            *pieces.add(places.encode(piece) for piece in library.pieces),
            *needs.add(
                string(need.name) + struct.pack("<II", numbers.get(need.path or "/", NO_NODE), 0)
                for need in library.needs
            ),
            *uses.add(struct.pack("<I", slot) for slot in library.slots),
            *fixups.add(FIXUP.pack(f.address, f.kind, f.slot, f.value) for f in library.fixups),
        )
        records.append(_library(library, numbers[library.path], spans, _Encoders(string, list_)))
    slots = (
        string(s.name)
        + string(s.version)
        + struct.pack("<QII", s.fallback, SlotFlag.WEAK if s.weak else SlotFlag(0), 0)
        for s in prelinked.slots
    )
    return {
        Section.LIBRARIES: b"".join(records),
        Section.PIECES: bytes(pieces.data),
        Section.NEEDS: bytes(needs.data),
        Section.SLOTS: b"".join(slots),
        Section.USES: bytes(uses.data),
        Section.FIXUPS: bytes(fixups.data),
    }


def library_pages(plan: ImagePlan) -> list[bytes]:
    """Return the content of all pieces in the order of the file; empty when there are no libraries."""
    if plan.prelinked is None or not plan.prelinked.libraries:
        return []
    pieces = [*_common_pieces(plan.prelinked), *(p for library in _in_order(plan) for p in library.pieces)]
    return [piece.content for piece in pieces if piece.content is not None]


def _in_order(plan: ImagePlan) -> list[Library]:
    """The libraries by the numbers of their nodes."""
    libraries = {library.path: library for library in plan.prelinked.libraries} if plan.prelinked else {}
    return [libraries[node.path] for node in plan.nodes if node.path in libraries]


def _common_pieces(prelinked: Prelinked) -> tuple[Piece, Piece]:
    """The jump stubs and the slots, which belong to no library."""
    stubs = prelinked.stubs()
    # At least a page of each: a piece of nothing can't be mapped.
    stubs = stubs or bytes(PAGE)
    slots = -(-len(prelinked.slots) * STUB_SIZE // PAGE) * PAGE
    return (
        Piece(STUBS, len(stubs), Protection.READ | Protection.EXECUTE, stubs),
        Piece(SLOTS, max(slots, PAGE), Protection.READ | Protection.WRITE | Protection.RELRO, None),
    )


class _Places:
    """Hands out offsets in the pages section, in the order of the calls."""

    def __init__(self) -> None:
        self._size = 0

    def encode(self, piece: Piece) -> bytes:
        offset = NO_CONTENT
        if piece.content is not None:
            offset = self._size
            self._size += len(piece.content)
        return PIECE.pack(piece.address, piece.size, offset, piece.protection, 0)


def _library(library: Library, node: int, spans: tuple[int, ...], encoders: _Encoders) -> bytes:
    threads = library.threads
    storage = (
        (threads.image, threads.size, threads.room, threads.alignment, threads.offset)
        if threads
        else (0, 0, 0, 0, 0)
    )
    (init_array, init_count), (fini_array, fini_count) = library.arrays
    soname = struct.unpack("<II", encoders.string(library.soname))
    folders = struct.unpack("<II", encoders.list(library.folders))
    return LIBRARY.pack(
        *(node, threads.module if threads else 0, library.base, library.start, library.size),
        *(*soname, *folders, *spans),
        *(library.dynamic, *library.headers, library.symbols[1], library.symbols[0], *library.strings),
        *(library.hash, library.versions, library.definitions),
        *(*library.functions, init_array, fini_array, init_count, fini_count),
        *(library.frames, *storage),
    )
