"""A product with a snapshot is the same product in all else."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from coachwhip.errors import ImageError
from coachwhip.image import ImageReader, write_with_snapshot
from coachwhip.image.format import PAGE, NodeKind, Section
from coachwhip.image.stub_elf import find_segment
from tests.unit.image.samples import product

if TYPE_CHECKING:
    from pathlib import Path

MEMORY = bytes(range(256)) * 32


def with_snapshot(bare: bytes, memory: bytes) -> bytes:
    output = io.BytesIO()
    assert write_with_snapshot(bare, memory, output) == len(output.getvalue())
    return output.getvalue()


def snapshot_of(data: bytes) -> bytes:
    reader = ImageReader(data)
    start, size = reader.range(Section.SNAPSHOT)
    return data[reader.offset + start : reader.offset + start + size]


def test_everything_else_keeps_its_place(tmp_path: Path) -> None:
    bare = product(tmp_path)
    data = with_snapshot(bare, MEMORY)
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
    data = with_snapshot(product(tmp_path), MEMORY)
    reader = ImageReader(data)
    start, size = reader.range(Section.SNAPSHOT)
    assert (reader.offset + start) % PAGE == 0
    assert start % PAGE == 0
    assert (reader.offset + start + size, size) == (len(data), len(MEMORY))
    assert snapshot_of(data) == MEMORY
    segment = find_segment(data)
    assert segment is not None
    assert segment.offset + segment.size == len(data)


def test_another_snapshot_takes_the_place_of_the_first(tmp_path: Path) -> None:
    bare = product(tmp_path)
    first = with_snapshot(bare, MEMORY)
    assert with_snapshot(first, MEMORY[:PAGE]) == with_snapshot(bare, MEMORY[:PAGE])
    assert with_snapshot(first, MEMORY * 2) == with_snapshot(bare, MEMORY * 2)
    assert with_snapshot(first, MEMORY) == first


def test_without_its_snapshot_it_is_what_it_was(tmp_path: Path) -> None:
    bare = product(tmp_path)
    assert with_snapshot(with_snapshot(bare, MEMORY), b"") == bare
    assert with_snapshot(bare, b"") == bare
    assert snapshot_of(bare) == b""


def test_a_changed_snapshot_is_noticed_by_the_reader(tmp_path: Path) -> None:
    data = bytearray(with_snapshot(product(tmp_path), MEMORY))
    data[-100] ^= 1
    reader = ImageReader(bytes(data))
    with pytest.raises(ImageError):
        reader.verify()


def test_what_is_no_product_is_refused(tmp_path: Path) -> None:
    data = product(tmp_path)
    for wrong in (b"", b"\x7fELF" + bytes(100), data[: len(data) // 2], data[:-1]):
        with pytest.raises(ImageError):
            write_with_snapshot(wrong, MEMORY, io.BytesIO())
