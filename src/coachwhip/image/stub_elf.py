"""Make room for an image in a stub: one spare program header becomes the image's segment.

The kernel then maps the image when it starts the product: no path, no open, no /proc needed.
The spare header is the stub's PT_NOTE, which nothing reads at run time. Structures: elf(5).

Beside a stub at fixed addresses the image has one, too. A position-independent stub moves as a whole, for
which kernel and loader take room from its first address to its last: the image comes right behind it.

The name of the loader moves to the stub's end. It is the only part of an executable that the kernel reads
before it gives up the calling program: of a file that ends too early the user then learns
"Input/output error", and not that a program of theirs has crashed in its loader.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from coachwhip.errors import ImageError
from coachwhip.image.format import IMAGE_ADDRESS, PAGE, SEGMENT_TAG

__all__ = ["Segment", "find_segment", "resized", "with_segment"]

_EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
#: type, flags, offset, virtual address, physical address, file size, memory size, alignment
_PHDR = struct.Struct("<IIQQQQQQ")
_PT_LOAD, _PT_INTERP, _PT_NOTE = 1, 3, 4
_TYPE, _ET_DYN = slice(16, 18), 3
_READ = 4
_ELF64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"


@dataclass(frozen=True)
class Segment:
    """Where an image lies in a file."""

    offset: int
    size: int


def _program_headers(elf: bytes) -> tuple[int, list[tuple[int, ...]]]:
    """Return the file offset of the program header table, and the headers."""
    if len(elf) < _EHDR.size or not elf.startswith(_ELF64_LITTLE_ENDIAN):
        raise ImageError("not a 64-bit little-endian ELF executable")
    fields = _EHDR.unpack_from(elf)
    table, item, count = fields[5], fields[9], fields[10]
    if item != _PHDR.size or table + count * item > len(elf):
        raise ImageError("its ELF program headers are damaged")
    return table, [_PHDR.unpack_from(elf, table + n * item) for n in range(count)]


def find_segment(elf: bytes) -> Segment | None:
    """Return where the image lies according to the program headers; None for a bare stub.

    Args:
        elf: at least the start of an executable, its program headers included.

    Raises:
        ImageError: this is no ELF executable of ours, or it is damaged.
    """
    for header in _program_headers(elf)[1]:
        if header[0] == _PT_LOAD and header[4] == SEGMENT_TAG:
            return Segment(offset=header[2], size=header[5])
    return None


def with_segment(stub: bytes, image_size: int) -> tuple[bytes, Segment]:
    """Return the stub with a segment for an image behind it, padded to the image's offset.

    Raises:
        ImageError: the stub has no spare program header.
    """
    table, headers = _program_headers(stub)
    spare = next((n for n, header in enumerate(headers) if header[0] == _PT_NOTE), None)
    if spare is None:
        raise ImageError("the stub has no program header to spare")
    patched = _with_loader_last(stub, table, headers)
    offset = len(patched)
    address = _address(stub, headers)
    header = _PHDR.pack(_PT_LOAD, _READ, offset, address, SEGMENT_TAG, image_size, image_size, PAGE)
    # Loadable segments stand in ascending order of address (elf(5)); the image is the last of all.
    place = table + spare * _PHDR.size
    following = patched[place + _PHDR.size : table + len(headers) * _PHDR.size]
    patched[place : table + len(headers) * _PHDR.size] = following + header
    return bytes(patched), Segment(offset, image_size)


def _address(stub: bytes, headers: list[tuple[int, ...]]) -> int:
    if int.from_bytes(stub[_TYPE], "little") != _ET_DYN:
        return IMAGE_ADDRESS
    end = max((header[3] + header[6] for header in headers if header[0] == _PT_LOAD), default=0)
    return -(-end // PAGE) * PAGE


def resized(stub: bytes, image_size: int) -> bytes:
    """Return a stub whose image is to have another size.

    Raises:
        ImageError: it has no image.
    """
    table, headers = _program_headers(stub)
    for number, header in enumerate(headers):
        if header[0] == _PT_LOAD and header[4] == SEGMENT_TAG:
            patched = bytearray(stub)
            fields = (*header[:5], image_size, image_size, header[7])
            _PHDR.pack_into(patched, table + number * _PHDR.size, *fields)
            return bytes(patched)
    raise ImageError("this executable carries no image")


def _with_loader_last(stub: bytes, table: int, headers: list[tuple[int, ...]]) -> bytearray:
    """The stub in whole pages, the loader's name that the kernel reads in its last bytes."""
    number = next((n for n, header in enumerate(headers) if header[0] == _PT_INTERP), None)
    if number is None:
        return bytearray(stub.ljust(-(-len(stub) // PAGE) * PAGE, b"\0"))
    kind, flags, at, address, physical, size, *rest = headers[number]
    padded = bytearray(stub.ljust(-(-(len(stub) + size) // PAGE) * PAGE, b"\0"))
    padded[-size:] = stub[at : at + size]
    # ld.so finds the name by its address, which stays.
    _PHDR.pack_into(
        padded, table + number * _PHDR.size, kind, flags, len(padded) - size, address, physical, size, *rest
    )
    return padded
