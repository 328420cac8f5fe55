"""A library's file as the difference to its memory in the image, which is nearly nothing.

Code and constants are the same in both; what relocating has changed, and what is in no segment, is left.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coachwhip.prelink.model import Library

__all__ = ["Memory", "difference", "pack_original"]

_PHDR = struct.Struct("<IIQQQQQQ")
_PT_LOAD = 1
#: Zstandard's level: most of what is compressed are zeros, so that little depends on it.
_LEVEL = 9


@dataclass(frozen=True)
class Memory:
    """The memory of a prelinked library as it is in the image.

    Attributes:
        base: what its own addresses count from.
        headers: address and number of its program headers.
        pieces: address and content of every piece that has content.
    """

    base: int
    headers: tuple[int, int]
    pieces: Sequence[tuple[int, bytes]]

    @classmethod
    def of(cls, library: Library) -> Memory:
        """Return that of a library which was just prelinked."""
        pieces = [(piece.address, piece.content) for piece in library.pieces if piece.content is not None]
        return cls(library.base, library.headers, pieces)

    def read(self, address: int, size: int) -> bytes:
        """Return up to `size` bytes.

        Raises:
            ValueError: there is no content at this address.
        """
        for start, content in self.pieces:
            if start <= address < start + len(content):
                return content[address - start :][:size]
        raise ValueError(f"no content at {address:#x}")


def difference(file: bytes, memory: Memory) -> bytes:
    """Return a library's file with everything taken away that its memory says, or the other way round.

    Raises:
        ValueError: file and memory are not of the same library.
    """
    changed = bytearray(file)
    address, count = memory.headers
    for fields in _PHDR.iter_unpack(memory.read(address, count * _PHDR.size)):
        if fields[0] == _PT_LOAD:
            _combine(changed, fields[2], memory, memory.base + fields[3], fields[5])
    return bytes(changed)


def _combine(file: bytearray, position: int, memory: Memory, address: int, size: int) -> None:
    if position + size > len(file):
        raise ValueError("a segment lies outside of the file")
    while size:
        there = memory.read(address, size)
        end = position + len(there)
        here = int.from_bytes(file[position:end], "little") ^ int.from_bytes(there, "little")
        file[position:end] = here.to_bytes(len(there), "little")
        position, address, size = end, address + len(there), size - len(there)


def pack_original(file: bytes, library: Library) -> bytes:
    """Return a library's file as it is stored beside its memory: the difference, as one zstd frame."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(difference(file, Memory.of(library)))
