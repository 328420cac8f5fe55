"""Writes an LLVM indexed profile from the counters of an instrumented program.

The compiler wants its profile in LLVM's indexed format, which `llvm-profdata` usually writes. That tool
and the profile runtime are not part of the zig distribution, so this module does the little that a build
needs: function records of one instrumented program, counters summed over all its runs.

The format (version 4, which every later compiler reads) is a header, a summary, and a hash table from
function name to records. All integers are little-endian. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "FunctionCounts",
    "function_counts",
    "indexed_profile",
    "name_hash",
    "parse_names",
    "weighted_sum",
]

_MAGIC = 0x8169666F72706CFF
_VERSION = 4
_IR_LEVEL = 1 << 56
_HASH_MD5 = 0
_DATA_RECORD = struct.Struct("<QQqqQQI3HxxI")
#: Percentiles of the summary in millionths, as LLVM's ProfileSummaryBuilder has them.
_CUTOFFS = (
    10_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000, 700_000, 800_000, 900_000,
    950_000, 990_000, 999_000, 999_900, 999_990, 999_999,
)  # fmt: skip
_SCALE = 1_000_000


@dataclass(frozen=True)
class FunctionCounts:
    """One function's counters: its profile name, the hash of its control flow, the counts."""

    name: bytes
    structure: int
    counts: tuple[int, ...]


def weighted_sum(first: bytes, second: bytes, share: float) -> bytes:
    """Add counters of two kinds of runs, those of the second multiplied so that they weigh what they should.

    Args:
        first: 64-bit counters.
        second: as many.
        share: what part of all counts the second are to be, at least; above 0 and below 1.
    """
    one, two = array("Q", first), array("Q", second)
    wanted = sum(one) * share / (1 - share)
    factor = max(1, round(wanted / max(1, sum(two))))
    return array("Q", (a + factor * b for a, b in zip(one, two, strict=True))).tobytes()


def name_hash(name: bytes) -> int:
    """Return the 64-bit number that stands for a function name in profiles."""
    return int.from_bytes(hashlib.md5(name, usedforsecurity=False).digest()[:8], "little")


def parse_names(section: bytes) -> dict[int, bytes]:
    """Read the `__llvm_prf_names` section: name hash -> name.

    The section is a sequence of blocks, each of two ULEB128 sizes (plain, compressed or 0) and text
    with 0x01 between names; blocks are padded with zero bytes.

    Raises:
        ValueError: the section is cut short.
    """
    names: dict[int, bytes] = {}
    position = 0
    while position < len(section):
        if section[position] == 0:
            position += 1
            continue
        plain, position = _uleb128(section, position)
        packed, position = _uleb128(section, position)
        size = packed or plain
        block = section[position : position + size]
        if len(block) != size:
            raise ValueError("the profile names end in the middle of a block")
        position += size
        for name in (zlib.decompress(block) if packed else block).split(b"\x01"):
            names[name_hash(name)] = name
    return names


def _uleb128(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data):
            raise ValueError("a number in the profile names is cut short")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, position


def function_counts(
    records: bytes, records_address: int, names: bytes, counters: bytes, counters_address: int
) -> list[FunctionCounts]:
    """Join the sections of an instrumented program with the counters that its runs left.

    Args:
        records: contents of `__llvm_prf_data`.
        records_address: where they are linked.
        names: contents of `__llvm_prf_names`.
        counters: the summed counters in the order of `__llvm_prf_cnts`.
        counters_address: where those are linked.

    Returns:
        The functions that were entered or whose counters are known, in the order of their records.

    Raises:
        ValueError: a record points outside the counters.
    """
    known = parse_names(names)
    result = []
    for index, fields in enumerate(_DATA_RECORD.iter_unpack(records)):
        name_reference, structure, relative, count = fields[0], fields[1], fields[2], fields[6]
        start = records_address + index * _DATA_RECORD.size + relative - counters_address
        if start < 0 or start % 8 or start + 8 * count > len(counters):
            raise ValueError(f"profile record {index} points outside the counters")
        name = known.get(name_reference)
        if name is not None:
            counts = struct.unpack_from(f"<{count}Q", counters, start)
            result.append(FunctionCounts(name, structure, counts))
    return result


def indexed_profile(functions: Iterable[FunctionCounts]) -> bytes:
    """Return the bytes of an indexed profile of IR-level instrumentation."""
    by_name: dict[bytes, list[FunctionCounts]] = {}
    for function in functions:
        by_name.setdefault(function.name, []).append(function)
    summary = _summary([f for group in by_name.values() for f in group])
    header_size = 5 * 8
    table, table_offset = _hash_table(by_name, header_size + len(summary))
    header = struct.pack("<5Q", _MAGIC, _VERSION | _IR_LEVEL, 0, _HASH_MD5, table_offset)
    return header + summary + table


def _summary(functions: Sequence[FunctionCounts]) -> bytes:
    """The totals and, for each percentile, the smallest count that is still part of it."""
    counts = sorted((c for f in functions for c in f.counts), reverse=True)
    total = sum(counts)
    entries = []
    seen = position = 0
    for cutoff in _CUTOFFS:
        wanted = total * cutoff // _SCALE
        while position < len(counts) and (seen < wanted or position == 0):
            seen += counts[position]
            position += 1
        entries.append((cutoff, counts[position - 1] if position else 0, position))
    totals = (
        len(functions),
        len(counts),
        max((f.counts[0] for f in functions if f.counts), default=0),
        max(counts, default=0),
        max((c for f in functions for c in f.counts[1:]), default=0),
        total,
    )
    parts = [struct.pack("<2Q", len(totals), len(entries)), struct.pack("<6Q", *totals)]
    parts += [struct.pack("<3Q", *entry) for entry in entries]
    return b"".join(parts)


def _record_data(functions: Sequence[FunctionCounts]) -> bytes:
    no_values = struct.pack("<2I", 8, 0)
    return b"".join(
        struct.pack(f"<{len(f.counts) + 2}Q", f.structure, len(f.counts), *f.counts) + no_values
        for f in functions
    )


def _hash_table(by_name: Mapping[bytes, Sequence[FunctionCounts]], offset: int) -> tuple[bytes, int]:
    """LLVM's on-disk chained hash table, laid out from file offset `offset`.

    Returns:
        The bytes, and the file offset of the table of buckets that ends them.
    """
    size = 1
    while size * 3 < len(by_name) * 4:
        size *= 2
    buckets: list[list[bytes]] = [[] for _ in range(size)]
    for name in sorted(by_name):
        buckets[name_hash(name) & (size - 1)].append(name)
    payload = bytearray()
    offsets = []
    for bucket in buckets:
        offsets.append(offset + len(payload) if bucket else 0)
        if bucket:
            payload += struct.pack("<H", len(bucket))
        for name in bucket:
            data = _record_data(by_name[name])
            payload += struct.pack("<3Q", name_hash(name), len(name), len(data)) + name + data
    payload += b"\0" * (-(offset + len(payload)) % 8)
    table = struct.pack(f"<{size + 2}Q", size, len(by_name), *offsets)
    return bytes(payload) + table, offset + len(payload)
