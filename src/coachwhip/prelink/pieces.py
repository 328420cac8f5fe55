"""A library's memory as runs of pages with one protection each."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from coachwhip.prelink.candidate import PF_R, PF_W, PF_X, page_down, page_up
from coachwhip.prelink.model import PAGE, Piece, Protection

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from coachwhip.elf.loadable import Segment
    from coachwhip.prelink.candidate import Candidate

__all__ = ["pieces_of"]


def pieces_of(candidate: Candidate, base: int, memory: bytearray, changed: Collection[int]) -> list[Piece]:
    """Cut a library's memory.

    Args:
        candidate: the library.
        base: what its addresses count from.
        memory: its content, from its first page on.
        changed: addresses that are written to when it is loaded; pages that become read-only and have none
            of them are so from the start.
    """
    pages = {page_down(address - base) for address in changed}
    found: list[Piece] = []
    for segment in candidate.loads:
        for start, end, filled in _parts(segment, candidate.relro):
            protection = _protection(segment)
            if protection & Protection.WRITE and candidate.relro[0] <= start < candidate.relro[1]:
                touched = any(page in pages for page in range(start, end, PAGE))
                protection = protection | Protection.RELRO if touched else Protection.READ
            content = None
            if filled:
                at = start - candidate.start
                content = bytes(memory[at : at + end - start]).ljust(end - start, b"\0")
            _append(found, Piece(base + start, end - start, protection, content))
    return found


def _append(pieces: list[Piece], piece: Piece) -> None:
    """Append a piece, or make the last one longer by it: each is a call to the kernel when it is mapped."""
    if pieces:
        last = pieces[-1]
        contents = last.content, piece.content
        follows = (last.address + last.size, last.protection) == (piece.address, piece.protection)
        if follows and (None not in contents or contents == (None, None)):
            content = None if last.content is None else last.content + (piece.content or b"")
            pieces[-1] = Piece(last.address, last.size + piece.size, last.protection, content)
            return
    pieces.append(piece)


def _protection(segment: Segment) -> Protection:
    flags = ((PF_R, Protection.READ), (PF_W, Protection.WRITE), (PF_X, Protection.EXECUTE))
    result = Protection(0)
    for flag, protection in flags:
        if segment.flags & flag:
            result |= protection
    return result


def _parts(segment: Segment, relro: tuple[int, int]) -> Iterator[tuple[int, int, bool]]:
    """Yield start, end and whether the file has content, in whole pages, of the parts of a segment."""
    start, end = page_down(segment.address), page_up(segment.address + segment.room)
    filled = page_up(segment.address + segment.size) if segment.size else start
    cuts = sorted({start, end, *(cut for cut in (filled, *relro) if start < cut < end)})
    for first, last in pairwise(cuts):
        yield first, last, first < filled
