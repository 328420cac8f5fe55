"""Small libraries, made by zig when they are needed, and a stub that offers a few addresses."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from coachwhip.elf import native_lib
from coachwhip.image import library_folders, needed_libraries
from coachwhip.model import Node
from coachwhip.prelink import Native, Outside
from tests.unit.resolve.compilers import compile_shared

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from coachwhip.prelink import Prelinked
    from coachwhip.prelink.model import Library

__all__ = ["OUTSIDE", "compile_one", "in_memory", "library", "natives", "word"]

#: A stub with room for 64 bytes of thread-local storage, which are the last of its 128 bytes.
OUTSIDE = Outside(
    stub=bytes(128),
    addresses={"PyLong_FromLong": 0x200100, "open": 0x200200, "__tls_get_addr": 0x200300},
    glibc={"memcpy": True, "stdout": False, "error": True, "open": True},
    room=64,
    room_offset=-64,
    room_position=64,
)


def compile_one(folder: Path, name: str, source: str, *flags: str) -> bytes:
    """Compile C text into a library of that name, and return its bytes."""
    compile_shared(source, folder / name, f"-Wl,-soname,{name}", "-Wl,-rpath,$ORIGIN", *flags)
    return (folder / name).read_bytes()


def natives(files: Mapping[str, bytes]) -> list[Native]:
    """Libraries at these paths, found by one another as in a product."""
    nodes = {path: Node(path, None, native=native_lib(content)) for path, content in files.items()}
    needed = needed_libraries(nodes)
    return [
        Native(path, content, library_folders(path, native_lib(content)), needed[path])
        for path, content in files.items()
    ]


def library(prelinked: Prelinked, path: str) -> Library:
    """The prelinked library that was made of a file."""
    return next(library for library in prelinked.libraries if library.path == path)


def in_memory(library: Library, address: int, size: int) -> bytes:
    """Bytes as they are in memory before fix-ups."""
    for piece in library.pieces:
        if piece.address <= address and address + size <= piece.address + piece.size:
            content = piece.content or bytes(piece.size)
            return content[address - piece.address :][:size]
    raise AssertionError(f"nothing is mapped at {address:#x}")


def word(library: Library, address: int) -> int:
    """A pointer in memory."""
    (value,) = struct.unpack("<Q", in_memory(library, address, 8))
    return int(value)
