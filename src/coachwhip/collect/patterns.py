"""Regular expressions compiled at build time, as the table that `stub/patterns.c` reads.

A table is a 32-bit count and 32 bits of nothing, then entries sorted by key (key, checksum: 64 bits each;
offset in the table, size: 32 bits each), then what they refer to, all little-endian. A key is XXH64 over two
XXH64: of the text's kind with the flags, and of the text. What an entry refers to is marshalled:
(pattern, flags, arguments of `_sre.compile` behind the pattern).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FOLDER", "Pattern", "encode_patterns"]

#: Directory of the tables below the standard library's directory.
FOLDER = "_coachwhip_patterns"

_HEAD = struct.Struct("<II")
_ENTRY = struct.Struct("<QQII")


@dataclass(frozen=True)
class Pattern:
    """One compiled expression.

    Attributes:
        kind: `s` for text, `b` for bytes.
        flags: as given to `re.compile`.
        text: the expression, UTF-8 when it is text.
        compiled: what the table keeps for it.
    """

    kind: str
    flags: int
    text: bytes
    compiled: bytes

    @property
    def key(self) -> int:
        """What it is found by."""
        head = xxhash.xxh64_intdigest(f"{self.kind}{self.flags}:".encode())
        return xxhash.xxh64_intdigest(struct.pack("<QQ", head, xxhash.xxh64_intdigest(self.text)))


def encode_patterns(patterns: Iterable[Pattern]) -> bytes:
    """Return the table of some patterns; of equal ones there is one entry."""
    by_key = {pattern.key: pattern for pattern in patterns}
    start = _HEAD.size + len(by_key) * _ENTRY.size
    entries, content = bytearray(), bytearray()
    for key, pattern in sorted(by_key.items()):
        offset = start + len(content)
        checksum = xxhash.xxh64_intdigest(pattern.compiled)
        entries += _ENTRY.pack(key, checksum, offset, len(pattern.compiled))
        content += pattern.compiled
    return _HEAD.pack(len(by_key), 0) + bytes(entries) + bytes(content)
