"""Prelinked libraries that are nothing but tables."""

from __future__ import annotations

import struct

import zstandard

from coachwhip.prelink.model import (
    FIRST_LIBRARY,
    PAGE,
    Fixup,
    FixupKind,
    Library,
    Need,
    Piece,
    Prelinked,
    Protection,
    Slot,
    Threads,
)

__all__ = ["prelinked_libraries"]

_PAGES = 4
#: A file whose difference to its memory is all there is to test: one segment, the first page.
_FILE = bytes(PAGE)
_HEADER = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, PAGE, PAGE, PAGE)


def prelinked_libraries(*paths: str) -> Prelinked:
    """Libraries made of these files, each of which needs the one before it."""
    slots = (Slot("puts", "GLIBC_2.2.5"), Slot("maybe", "", weak=True), Slot("own", "", FIRST_LIBRARY))
    libraries = [_library(number, path, paths[number - 1 : number]) for number, path in enumerate(paths)]
    originals = {one.path: (zstandard.compress(_FILE), len(_FILE)) for one in libraries}
    return Prelinked(b"", tuple(libraries), slots, {}, originals)


def _library(number: int, path: str, needed: tuple[str, ...]) -> Library:
    start = FIRST_LIBRARY + number * (_PAGES + 1) * PAGE
    data = start + 2 * PAGE
    return Library(
        path=path,
        soname=f"lib{number}.so",
        base=start,
        start=start,
        size=_PAGES * PAGE,
        pieces=(
            Piece(start, PAGE, Protection.READ, (bytes(64) + _HEADER).ljust(PAGE, b"\0")),
            Piece(start + PAGE, PAGE, Protection.READ | Protection.EXECUTE, b"\xc3" * PAGE),
            Piece(data, PAGE, Protection.READ | Protection.WRITE, bytes(PAGE)),
            Piece(data + PAGE, PAGE, Protection.READ | Protection.WRITE, None),
        ),
        needs=(Need("libc.so.6", None), *(Need("x.so", path) for path in needed)),
        folders=("lib", "lib/x.libs"),
        slots=(0, 2),
        fixups=(
            Fixup(data, FixupKind.DATA, 1, 8),
            Fixup(data + 8, FixupKind.WEAK_CALL, 1, 0),
            Fixup(data + 16, FixupKind.RESOLVED, 0, start + PAGE),
        ),
        dynamic=data + 64,
        headers=(start + 64, 1),
        symbols=(start + 1024, 10),
        strings=(start + 2048, 100),
        hash=start + 3000,
        versions=start + 3200,
        definitions=start + 3300,
        functions=(start + PAGE, 0),
        arrays=((data + 128, 2), (0, 0)),
        frames=start + 3400,
        threads=Threads(number + 1, data + 256, 16, 64, 16),
    )
