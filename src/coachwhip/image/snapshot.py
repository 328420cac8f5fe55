"""Put a snapshot of the started program behind a product's data, or take it away."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING, NamedTuple

import xxhash

from coachwhip.errors import ImageError
from coachwhip.image.format import (
    HEADER_SIZE,
    PAGE,
    SNAPSHOT_HEAD,
    SNAPSHOT_MAGIC,
    SNAPSHOT_RANGE,
    SNAPSHOT_ROOM,
    Section,
)
from coachwhip.image.header import Header, encode_header
from coachwhip.image.reader import ImageReader
from coachwhip.image.stub_elf import resized

if TYPE_CHECKING:
    import mmap

__all__ = ["Extras", "SnapshotHead", "page_addresses", "snapshot_plan", "with_head", "write_with_snapshot"]


class SnapshotHead(NamedTuple):
    """What stands at the start of a snapshot; `FORMAT.md` describes the fields. Sizes are in bytes."""

    magic: bytes
    size: int
    stub_id: bytes
    image_id: bytes
    tables_checksum: int
    heap_end: int
    arenas_end: int
    ranges: int
    locals_size: int
    gates_size: int
    plan_size: int
    working_set_size: int
    cpu: bytes
    checksum: int

    @classmethod
    def of(cls, snapshot: bytes) -> SnapshotHead:
        """Read the head of a snapshot.

        Raises:
            ImageError: it is damaged, as far as its head tells.
        """
        if len(snapshot) < SNAPSHOT_ROOM:
            raise ImageError("the snapshot is too short")
        head = cls._make(SNAPSHOT_HEAD.unpack_from(snapshot))
        behind = head.plan_size + head.working_set_size
        sizes = SNAPSHOT_ROOM + behind <= head.size <= len(snapshot)
        if head.magic != SNAPSHOT_MAGIC or not sizes or with_head(snapshot, head) != snapshot[:SNAPSHOT_ROOM]:
            raise ImageError("the snapshot is damaged")
        return head


def with_head(snapshot: bytes, head: SnapshotHead) -> bytes:
    """Return the first bytes of a snapshot, all that its checksum is of, with another head."""
    rest = snapshot[SNAPSHOT_HEAD.size : SNAPSHOT_ROOM]
    checksum = xxhash.xxh64_intdigest(SNAPSHOT_HEAD.pack(*head._replace(checksum=0)) + rest)
    return SNAPSHOT_HEAD.pack(*head._replace(checksum=checksum)) + rest


def snapshot_plan(image: ImageReader) -> bytes:
    """Return the plan that a product's snapshot was made by; empty when it has no snapshot.

    Raises:
        ImageError: the snapshot is damaged.
    """
    snapshot = image.section(Section.SNAPSHOT)
    if not snapshot:
        return b""
    head = SnapshotHead.of(snapshot)
    return snapshot[head.size - head.plan_size : head.size]


def page_addresses(snapshot: bytes) -> dict[int, int]:
    """Return where each page of a snapshot's ranges is mapped, by its number in the snapshot.

    Raises:
        ImageError: the snapshot is damaged, as far as its head tells.
    """
    head = SnapshotHead.of(snapshot)
    found = {}
    for number in range(head.ranges):
        address, size, offset = SNAPSHOT_RANGE.unpack_from(
            snapshot, SNAPSHOT_HEAD.size + number * SNAPSHOT_RANGE.size
        )
        for at in range(0, size, PAGE):
            found[(offset + at) // PAGE] = address + at
    return found


class Extras(NamedTuple):
    """What is put behind the memory that a product has saved.

    Attributes:
        plan: what the product needs to make the snapshot again, on the machine where it is used.
        working_set: the pages that every start needs, runs of them.
    """

    plan: bytes = b""
    working_set: bytes = b""


_NO_EXTRAS = Extras()


def _joined(memory: bytes, extras: Extras, product: ImageReader, stub_id: bytes) -> bytes:
    """Return memory that a product has saved as the snapshot of that with another stub id."""
    head = SnapshotHead.of(memory)
    if head.stub_id != product.stub_id or head.tables_checksum != product.tables_checksum:
        raise ImageError("the snapshot belongs to another program")
    if head.plan_size or head.working_set_size or head.size != len(memory):
        raise ImageError("the snapshot is not as the program has saved it")
    behind = extras.working_set + extras.plan
    head = head._replace(
        stub_id=stub_id,
        size=len(memory) + len(behind),
        plan_size=len(extras.plan),
        working_set_size=len(extras.working_set),
    )
    return with_head(memory, head) + memory[SNAPSHOT_ROOM:] + behind


def write_with_snapshot(
    product: bytes | mmap.mmap, memory: bytes, output: IO[bytes], extras: Extras = _NO_EXTRAS
) -> int:
    """Write a product with another snapshot than its own, and return its size in bytes.

    Everything else keeps its place and address, so that what the snapshot refers to is where it was.

    Args:
        product: the whole executable.
        memory: what the product has saved; empty for no snapshot.
        output: a stream at its start.
        extras: what is put behind the memory.

    Raises:
        ImageError: it is no product, or damaged, or the memory is of another one.
        OSError: the output can't be written.
    """
    reader = ImageReader(product)
    ranges = {section: reader.range(section) for section in Section}
    end = sum(ranges[Section.PAGES])
    start = end + -end % (PAGE if memory else 8)
    size = len(memory) + sum(map(len, extras)) if memory else 0
    ranges[Section.SNAPSHOT] = (start, size)
    stub = resized(bytes(product[: reader.offset]), start + size)
    stub_id = hashlib.sha256(stub).digest()
    rest = bytes(start - end) + (_joined(memory, extras, reader, stub_id) if memory else b"")
    file_size = reader.offset + start + size
    with memoryview(product)[reader.offset + HEADER_SIZE : reader.offset + end] as body:
        digest = hashlib.sha256(body)
        digest.update(rest)
        header = Header(start + size, file_size, digest.digest(), stub_id, ranges, reader.tables_checksum)
        for part in (stub, encode_header(header), body, rest):
            output.write(part)
    return file_size
