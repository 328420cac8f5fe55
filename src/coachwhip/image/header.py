"""An image's header as bytes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash

from coachwhip.image.format import HEADER, HEADER_SIZE, MAGIC, RANGE, VERSION, Section

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Header", "encode_header"]


@dataclass(frozen=True)
class Header:
    """What stands at the start of an image.

    Attributes:
        image_size: bytes of the image.
        file_size: bytes of the whole executable.
        image_id: SHA-256 of everything behind the header.
        stub_id: SHA-256 of everything before the image.
        ranges: offset and size of each section.
        tables_checksum: XXH64 of what is between header and data.
    """

    image_size: int
    file_size: int
    image_id: bytes
    stub_id: bytes
    ranges: Mapping[Section, tuple[int, int]]
    tables_checksum: int


def encode_header(header: Header) -> bytes:
    """Return the header's bytes, with its checksum."""
    encoded = HEADER.pack(
        MAGIC,
        VERSION,
        HEADER_SIZE,
        header.image_size,
        header.file_size,
        header.image_id,
        header.stub_id,
    )
    encoded += b"".join(RANGE.pack(*header.ranges[section]) for section in Section)
    encoded += header.tables_checksum.to_bytes(8, "little")
    return encoded + xxhash.xxh64_intdigest(encoded).to_bytes(8, "little")
