"""Which pages of its snapshot a start touches."""

from __future__ import annotations

import json
import random
import struct
from typing import TYPE_CHECKING

import pytest

from coachwhip.image import ImageReader, page_addresses
from coachwhip.image.format import PAGE_RUN, Section
from coachwhip.image.snapshot import SnapshotHead
from tests.products.building import environment
from tests.products.subjects import Subject

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product

WRITTEN = 1 << 31
#: Says which of the pages at the given addresses are the process's own, as /proc tells.
OWN = """\
import json, os, sys
table = os.open("/proc/self/pagemap", os.O_RDONLY)
entries = [int.from_bytes(os.pread(table, 8, a // 4096 * 8), "little") for a in json.loads(sys.argv[2])]
print(json.dumps([entry >> 61 & 5 == 4 for entry in entries]))
"""


def snapshot_of(subject: Subject) -> tuple[int, bytes]:
    """Where it is in the file, and its bytes."""
    reader = ImageReader(subject.path.read_bytes())
    start, size = reader.range(Section.SNAPSHOT)
    return reader.offset + start, bytes(reader.section(Section.SNAPSHOT))[:size]


def runs_of(snapshot: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Where the working set is in a snapshot, and its runs."""
    head = SnapshotHead.of(snapshot)
    at = head.size - head.plan_size - head.working_set_size
    return at, list(PAGE_RUN.iter_unpack(snapshot[at : at + head.working_set_size]))


def test_a_start_has_copies_of_all_of_them(subject: Subject) -> None:
    _, snapshot = snapshot_of(subject)
    _, runs = runs_of(snapshot)
    pages = [first + n for first, count in runs for n in range(count)]
    assert len(pages) > 100
    addresses = page_addresses(snapshot)
    outcome = subject.snapshot(OWN, json.dumps([addresses[page] for page in pages]))
    assert all(json.loads(outcome.stdout)), outcome.stderr
    # Most of the others are not copied, or this shows nothing.
    others = sorted(addresses.keys() - set(pages))
    outcome = subject.snapshot(OWN, json.dumps([addresses[page] for page in others[:1500]]))
    assert sum(json.loads(outcome.stdout)) < 500


def test_new_objects_lie_together(subject: Subject) -> None:
    """They fill as many pages as their size takes, not one for each gap between the snapshot's objects."""
    code = """
        lists, dicts = [[] for _ in range(2000)], [{} for _ in range(500)]
        texts = [f"{number} in words" for number in range(1000)]
        print(*(len({id(each) // 4096 for each in kind}) for kind in (lists, dicts, texts)))
        print(sum(sys.getsizeof(each) + 16 for each in lists + dicts + texts) // 4096)
        """
    used, least = subject.snapshot(code).stdout.splitlines()
    assert sum(map(int, used.split())) < int(least) * 5 // 4 + 8


def test_a_watched_start_writes_what_it_has_touched(subject: Subject, tmp_path: Path) -> None:
    report = tmp_path / "pages"
    code = """
        import os
        if os.fork() == 0:
            sys.exit()
        os.wait()
        print(os.environ.get("COACHWHIP_WORKING_SET"), os.open("/", os.O_RDONLY))
        """
    outcome = subject.snapshot(code, env=environment(COACHWHIP_WORKING_SET=str(report)))
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "None 3\n", "")
    _, snapshot = snapshot_of(subject)
    numbers = [number for (number,) in struct.iter_unpack("<I", report.read_bytes())]
    pages = [number & ~WRITTEN for number in numbers]
    assert pages == sorted(set(pages)), "a child has written to it"
    assert set(pages) <= page_addresses(snapshot).keys()
    assert 100 < sum(number >= WRITTEN for number in numbers) < len(numbers)


def test_a_report_that_cannot_be_written_is_no_fault(subject: Subject, tmp_path: Path) -> None:
    variables = environment(COACHWHIP_WORKING_SET=str(tmp_path / "no" / "folder"))
    outcome = subject.snapshot("print('ran')", env=variables)
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "ran\n", "")


def test_a_damaged_one_does_no_harm(subject: Subject, tmp_path: Path) -> None:
    start, snapshot = snapshot_of(subject)
    at, runs = runs_of(snapshot)
    numbers = random.Random(5)  # noqa: S311
    for _ in range(20):
        data = bytearray(subject.path.read_bytes())
        for _ in range(numbers.choice((1, 3, 50))):
            value = numbers.choice((0, 1, 0xFFFFFFFF, numbers.randrange(1 << 32), numbers.randrange(20000)))
            struct.pack_into("<I", data, start + at + 4 * numbers.randrange(2 * len(runs)), value)
        path = tmp_path / "changed"
        path.write_bytes(data)
        path.chmod(0o755)
        outcome = Subject(path).snapshot("print(sorted({3, 1, 2}))")
        assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "[1, 2, 3]\n", "")
