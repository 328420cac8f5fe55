"""Which pages of a snapshot every start is to have at once."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from coachwhip.image.format import (
    PAGE,
    PAGE_RUN,
    SNAPSHOT_HEAD,
    SNAPSHOT_MAGIC,
    SNAPSHOT_RANGE,
    SNAPSHOT_ROOM,
)
from coachwhip.image.snapshot import SnapshotHead, with_head
from coachwhip.snapshot.working_set import working_set

FIRST = SNAPSHOT_ROOM // PAGE
WRITTEN = 1 << 31
#: Addresses of the ranges, and their pages.
RANGES = ((0x1000000000, 64), (0x1000080000, 20), (0x1800003000, 40))
END = FIRST + sum(pages for _, pages in RANGES)


def memory() -> bytes:
    rows, offset = [], SNAPSHOT_ROOM
    for address, pages in RANGES:
        rows.append(SNAPSHOT_RANGE.pack(address, pages * PAGE, offset))
        offset += pages * PAGE
    room = (bytes(SNAPSHOT_HEAD.size) + b"".join(rows)).ljust(SNAPSHOT_ROOM, b"\0")
    empty = SnapshotHead(SNAPSHOT_MAGIC, offset, bytes(32), bytes(32), 0, 0, 0, 3, 0, 0, 0, 0, bytes(24), 0)
    return with_head(room, empty) + bytes(offset - SNAPSHOT_ROOM)


MEMORY = memory()


def report(*pages: int) -> bytes:
    return struct.pack(f"<{len(pages)}I", *pages)


def chosen(*reports: bytes) -> list[tuple[int, int]]:
    return list(PAGE_RUN.iter_unpack(working_set(MEMORY, reports)))


def test_what_every_start_writes_to_is_in_it() -> None:
    many = [FIRST + n for n in range(16)]
    assert chosen(report(*(page | WRITTEN for page in many))) == [(FIRST, 16)]
    assert chosen(report(*(page | WRITTEN for page in many)), report(*many)) == []
    assert chosen(report(FIRST | WRITTEN), report(FIRST + 1 | WRITTEN)) == []


def test_what_is_read_is_in_it_where_little_around_is() -> None:
    assert chosen(report(FIRST + 3)) == [(FIRST + 3, 1)]
    assert chosen(report(*(FIRST + n for n in range(16)))) == []
    # Around means in memory, 64 KiB of it: the last range starts three pages into such a part.
    start = FIRST + 64 + 20
    assert chosen(report(*(start + n for n in range(4)))) == [(start, 4)]
    assert chosen(report(*(start + n for n in range(12, 16)))) == [(start + 12, 4)]
    assert chosen(report(*(start + n for n in range(5)))) == []


def test_a_run_ends_with_its_range() -> None:
    last = FIRST + 63
    assert chosen(report(last | WRITTEN, last + 1 | WRITTEN)) == [(last, 1), (last + 1, 1)]


def test_nothing_is_known_of_starts_that_left_no_report() -> None:
    assert working_set(MEMORY, []) == b""
    assert working_set(MEMORY, [b"", b""]) == b""
    assert chosen(b"", report(FIRST | WRITTEN)) == [(FIRST, 1)]


@given(st.lists(st.lists(st.integers(0, 2 * END)), max_size=3), st.booleans())
def test_runs_are_in_order_and_within_ranges(starts: list[list[int]], written: bool) -> None:  # noqa: FBT001
    runs = chosen(*(report(*(page | WRITTEN * written for page in start)) for start in starts))
    ends = [FIRST, *(first + count for first, count in runs)]
    assert all(end <= first for end, (first, _) in zip(ends, runs, strict=False))
    assert all(count for _, count in runs)
    assert ends[-1] <= END
