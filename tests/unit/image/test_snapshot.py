"""A product with a snapshot is the same product in all else."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from coachwhip.errors import ImageError
from coachwhip.image import Extras, ImageReader, snapshot_plan, write_with_snapshot
from coachwhip.image.format import PAGE, SNAPSHOT_ROOM, NodeKind, Section
from coachwhip.image.snapshot import SnapshotHead, with_head
from coachwhip.image.stub_elf import find_segment
from tests.unit.image.samples import memory_of, product

if TYPE_CHECKING:
    from pathlib import Path

PLAN = b'{"modules":[]}'


def with_snapshot(bare: bytes, memory: bytes, plan: bytes = b"", working_set: bytes = b"") -> bytes:
    output = io.BytesIO()
    assert write_with_snapshot(bare, memory, output, Extras(plan, working_set)) == len(output.getvalue())
    return output.getvalue()


def snapshot_of(data: bytes) -> bytes:
    reader = ImageReader(data)
    start, size = reader.range(Section.SNAPSHOT)
    return data[reader.offset + start : reader.offset + start + size]


def test_everything_else_keeps_its_place(tmp_path: Path) -> None:
    bare = product(tmp_path)
    data = with_snapshot(bare, memory_of(bare), PLAN)
    before, after = ImageReader(bare), ImageReader(data)
    after.verify()
    assert after.offset == before.offset
    for section in Section:
        if section is not Section.SNAPSHOT:
            assert after.range(section) == before.range(section)
    start = sum(before.range(Section.DATA))
    header = before.range(Section.NODES)[0]
    assert (
        data[after.offset + header : after.offset + start]
        == bare[before.offset + header : before.offset + start]
    )
    assert (after.settings, after.manifest) == (before.settings, before.manifest)
    assert after.tables_checksum == before.tables_checksum
    files = [node for node in after.nodes() if node.kind is NodeKind.FILE]
    assert [node.path for node in files] == [
        node.path for node in before.nodes() if node.kind is NodeKind.FILE
    ]


def test_the_snapshot_is_whole_pages_into_the_file_and_the_image_ends_with_it(tmp_path: Path) -> None:
    bare = product(tmp_path)
    memory = memory_of(bare)
    data = with_snapshot(bare, memory, PLAN)
    reader = ImageReader(data)
    start, size = reader.range(Section.SNAPSHOT)
    assert (reader.offset + start) % PAGE == 0
    assert start % PAGE == 0
    assert (reader.offset + start + size, size) == (len(data), len(memory) + len(PLAN))
    assert snapshot_of(data)[SNAPSHOT_ROOM:] == memory[SNAPSHOT_ROOM:] + PLAN
    segment = find_segment(data)
    assert segment is not None
    assert segment.offset + segment.size == len(data)


def test_a_snapshot_names_the_product_that_it_lies_in_and_has_its_plan(tmp_path: Path) -> None:
    bare = product(tmp_path)
    memory = memory_of(bare)
    data = with_snapshot(bare, memory, PLAN)
    before, head = SnapshotHead.of(memory), SnapshotHead.of(snapshot_of(data))
    assert head.stub_id == ImageReader(data).stub_id != before.stub_id
    assert (head.size, head.plan_size) == (len(memory) + len(PLAN), len(PLAN))
    changed = {"stub_id", "size", "plan_size", "checksum"}
    assert all(getattr(head, name) == getattr(before, name) for name in head._fields if name not in changed)
    assert snapshot_plan(ImageReader(data)) == PLAN
    assert snapshot_plan(ImageReader(bare)) == b""


def test_the_working_set_lies_between_the_memory_and_the_plan(tmp_path: Path) -> None:
    bare = product(tmp_path)
    memory = memory_of(bare)
    data = with_snapshot(bare, memory, PLAN, b"12345678" * 3)
    head = SnapshotHead.of(snapshot_of(data))
    assert (head.size, head.working_set_size) == (len(memory) + 24 + len(PLAN), 24)
    assert snapshot_of(data)[SNAPSHOT_ROOM:] == memory[SNAPSHOT_ROOM:] + b"12345678" * 3 + PLAN
    assert snapshot_plan(ImageReader(data)) == PLAN


def test_memory_of_another_product_is_refused(tmp_path: Path) -> None:
    bare = product(tmp_path)
    memory = memory_of(bare)
    head = SnapshotHead.of(memory)
    for wrong in (
        head._replace(stub_id=bytes(32)),
        head._replace(tables_checksum=head.tables_checksum ^ 1),
        head._replace(plan_size=PAGE),
        head._replace(working_set_size=8),
        head._replace(size=len(memory) - PAGE),
    ):
        with pytest.raises(ImageError):
            with_snapshot(bare, with_head(memory, wrong) + memory[SNAPSHOT_ROOM:])
    # It was saved by the product without a snapshot, and is put behind that.
    with pytest.raises(ImageError):
        with_snapshot(with_snapshot(bare, memory), memory)


@pytest.mark.parametrize("at", [0, 5, 8, 20, 80, 130, 200, SNAPSHOT_ROOM - 1])
def test_a_damaged_head_is_noticed(tmp_path: Path, at: int) -> None:
    bare = product(tmp_path)
    memory = bytearray(memory_of(bare))
    memory[at] ^= 1
    for damaged in (bytes(memory), bytes(memory[:SNAPSHOT_ROOM]), bytes(memory[:100])):
        with pytest.raises(ImageError):
            with_snapshot(bare, damaged)


def test_without_its_snapshot_it_is_what_it_was(tmp_path: Path) -> None:
    bare = product(tmp_path)
    first = with_snapshot(bare, memory_of(bare), PLAN)
    assert with_snapshot(first, b"") == bare
    assert with_snapshot(with_snapshot(first, b""), memory_of(bare), PLAN) == first
    assert with_snapshot(bare, b"") == bare
    assert snapshot_of(bare) == b""


def test_a_changed_snapshot_is_noticed_by_the_reader(tmp_path: Path) -> None:
    bare = product(tmp_path)
    data = bytearray(with_snapshot(bare, memory_of(bare), PLAN))
    data[-100] ^= 1
    reader = ImageReader(bytes(data))
    with pytest.raises(ImageError):
        reader.verify()


def test_what_is_no_product_is_refused(tmp_path: Path) -> None:
    data = product(tmp_path)
    for wrong in (b"", b"\x7fELF" + bytes(100), data[: len(data) // 2], data[:-1]):
        with pytest.raises(ImageError):
            write_with_snapshot(wrong, memory_of(data), io.BytesIO())
