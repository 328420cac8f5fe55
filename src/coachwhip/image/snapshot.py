"""Put a snapshot of the started program behind a product's data, or take it away."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING

from coachwhip.image.format import HEADER_SIZE, PAGE, Section
from coachwhip.image.header import Header, encode_header
from coachwhip.image.reader import ImageReader
from coachwhip.image.stub_elf import resized

if TYPE_CHECKING:
    import mmap

__all__ = ["write_with_snapshot"]


def write_with_snapshot(product: bytes | mmap.mmap, snapshot: bytes, output: IO[bytes]) -> int:
    """Write a product with another snapshot than its own, and return its size in bytes.

    Everything else keeps its place and address, so that what the snapshot refers to is where it was.

    Args:
        product: the whole executable.
        snapshot: memory that the product has saved; empty for none.
        output: a stream at its start.

    Raises:
        ImageError: it is no product, or damaged.
        OSError: the output can't be written.
    """
    reader = ImageReader(product)
    ranges = {section: reader.range(section) for section in Section}
    end = sum(ranges[Section.PAGES])
    start = end + -end % (PAGE if snapshot else 8)
    ranges[Section.SNAPSHOT] = (start, len(snapshot))
    image_size = start + len(snapshot)
    stub = resized(bytes(product[: reader.offset]), image_size)
    rest = bytes(start - end) + snapshot
    file_size = reader.offset + image_size
    with memoryview(product)[reader.offset + HEADER_SIZE : reader.offset + end] as body:
        digest = hashlib.sha256(body)
        digest.update(rest)
        stub_id = hashlib.sha256(stub).digest()
        header = Header(image_size, file_size, digest.digest(), stub_id, ranges, reader.tables_checksum)
        for part in (stub, encode_header(header), body, rest):
            output.write(part)
    return file_size
