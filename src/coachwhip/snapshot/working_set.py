"""The pages of a snapshot that every start needs, by what starts have touched. Pure."""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING

from coachwhip.image import page_addresses
from coachwhip.image.format import PAGE, PAGE_RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["working_set"]

#: A page in a report of a start, see `stub/working_set.h`; and the bit of those that were written to.
_TOUCHED = struct.Struct("<I")
_WRITTEN = 1 << 31
#: Bytes that the kernel maps around a page that is read, aligned (`fault_around_bytes`).
_AROUND = 65536
#: Where a start touches this many pages of those or fewer, it copies them one by one: some 0.4 µs
#: each, instead of up to 16 pages of resident memory.
_FEW = 4


def working_set(memory: bytes, reports: Sequence[bytes]) -> bytes:
    """Return the working set of a snapshot as it is put behind it; empty when nothing is known.

    Args:
        memory: the snapshot.
        reports: the pages that the program has touched, for each of several starts.
    """
    starts = [_pages(report) for report in reports if report]
    if not starts:
        return b""
    addresses = page_addresses(memory)
    # What only some starts need is left to them.
    touched = set.intersection(*(set(start) for start in starts)) & addresses.keys()
    written = {page for page in touched if all(start[page] for start in starts)}
    around = Counter(addresses[page] // _AROUND for page in touched)
    few = {page for page in touched if around[addresses[page] // _AROUND] <= _FEW}
    return b"".join(PAGE_RUN.pack(*run) for run in _runs(sorted(written | few), addresses))


def _pages(report: bytes) -> dict[int, bool]:
    """Return page -> whether it was written to."""
    numbers = (number for (number,) in _TOUCHED.iter_unpack(report[: len(report) // 4 * 4]))
    return {number & ~_WRITTEN: bool(number & _WRITTEN) for number in numbers}


def _runs(pages: Iterable[int], addresses: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return (first, count) of pages that follow each other in the snapshot and in memory."""
    runs: list[tuple[int, int]] = []
    for page in pages:
        if runs and sum(runs[-1]) == page and addresses[page] == addresses[page - 1] + PAGE:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((page, 1))
    return runs
