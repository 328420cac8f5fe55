"""Write a product: a stub, then the image, to a stream."""

from __future__ import annotations

import hashlib
from itertools import chain
from typing import IO, TYPE_CHECKING

import xxhash

from coachwhip.image.format import HEADER, HEADER_SIZE, MAGIC, PAGE, RANGE, VERSION, Section
from coachwhip.image.libraries import library_pages
from coachwhip.image.stub_elf import with_segment
from coachwhip.image.tables import encode_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from coachwhip.image.manifest import Manifest
    from coachwhip.image.plan import BlobPlace, ImagePlan

__all__ = ["write_product"]

_CHUNK = 1 << 20


def write_product(stub: bytes, plan: ImagePlan, manifest: Manifest, output: IO[bytes]) -> int:
    """Write a product and return its size in bytes.

    Args:
        stub: the executable that the image is appended to.
        plan: what to write; its blobs are read from the layers' files.
        manifest: facts for `coachwhip inspect`.
        output: a seekable stream at its start; what it holds afterwards depends on the arguments only.

    Raises:
        OSError: a layer can't be read or the output not be written.
        ImageError: the stub can't carry an image.
    """
    tables = encode_tables(plan, manifest.to_json())
    pages = library_pages(plan)
    ranges, body = _lay_out(tables, plan.data_size, sum(map(len, pages)))
    image_size = sum(ranges[Section.PAGES])
    head, segment = with_segment(stub, image_size)
    output.write(head)
    output.write(bytes(HEADER_SIZE))
    digest = hashlib.sha256(body)
    output.write(body)
    gap = ranges[Section.PAGES][0] - sum(ranges[Section.DATA])
    for chunk in chain(_data(plan.blobs), (bytes(gap),), pages):
        digest.update(chunk)
        output.write(chunk)
    file_size = segment.offset + image_size
    stub_id = hashlib.sha256(head).digest()
    header = HEADER.pack(MAGIC, VERSION, HEADER_SIZE, image_size, file_size, digest.digest(), stub_id)
    header += b"".join(RANGE.pack(*ranges[section]) for section in Section)
    header += xxhash.xxh64_intdigest(body).to_bytes(8, "little")
    header += xxhash.xxh64_intdigest(header).to_bytes(8, "little")
    output.seek(segment.offset)
    output.write(header)
    output.seek(file_size)
    return file_size


def _lay_out(
    tables: dict[Section, bytes], data_size: int, pages_size: int
) -> tuple[dict[Section, tuple[int, int]], bytes]:
    """Places of the sections in the image, and the bytes between the header and the data."""
    ranges = {}
    body = bytearray()
    for section, content in tables.items():
        ranges[section] = (HEADER_SIZE + len(body), len(content))
        body += content
        body += bytes(-len(body) % 8)
    # Data starts on its own cache line.
    body += bytes(-(HEADER_SIZE + len(body)) % 64)
    ranges[Section.DATA] = (HEADER_SIZE + len(body), data_size)
    # Libraries are mapped in whole pages. Where there are none, nothing is added for them.
    end = sum(ranges[Section.DATA])
    ranges[Section.PAGES] = (-(-end // (PAGE if pages_size else 8)) * (PAGE if pages_size else 8), pages_size)
    return ranges, bytes(body)


def _data(blobs: tuple[BlobPlace, ...]) -> Iterator[bytes]:
    """The data section in pieces, neighbours in a layer's file read together."""
    end = 0
    streams: dict[Path, IO[bytes]] = {}
    try:
        for place in blobs:
            yield bytes(place.offset - end)
            end = place.offset + place.blob.stored
            if isinstance(place.source, bytes):
                yield place.source
                continue
            stream = streams.get(place.source)
            if stream is None:
                stream = streams[place.source] = place.source.open("rb")
            stream.seek(place.blob.offset)
            rest = place.blob.stored
            while rest:
                chunk = stream.read(min(rest, _CHUNK))
                if not chunk:
                    raise OSError(None, "a cached layer is shorter than its index says", str(place.source))
                rest -= len(chunk)
                yield chunk
    finally:
        for stream in streams.values():
            stream.close()
