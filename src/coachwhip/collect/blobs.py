"""Bytes -> stored blobs: compressed when that is smaller, checksummed, laid one after the other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash
import zstandard

from coachwhip.elf import is_elf
from coachwhip.model import Blob, Compression
from coachwhip.prelink import is_program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

__all__ = ["BlobWriter", "compress_all"]

#: Zstandard levels for files up to and above `_LARGE` bytes. The higher one makes a program of 25 MB
#: a tenth smaller than the lower one, and takes ten times as long: 13 s instead of 1.4 s. Native libraries
#: are packed once more, in another form, when a product is built; what is made here only waits for that.
_SMALL_FILES, _LARGE_FILES, _LIBRARIES = _LEVELS = (19, 12, 3)
_LARGE = 4 * 1024 * 1024
#: Below this many bytes a zstd frame is not smaller by enough to be worth a call.
_SMALLEST = 64

#: A compressor is not to be shared by threads, and is worth keeping.
_local = threading.local()


@dataclass(frozen=True)
class _Stored:
    payload: bytes
    raw: int
    compression: Compression


def compress_all(contents: Sequence[bytes], jobs: int) -> list[_Stored]:
    """Compress contents, each by itself; the result does not depend on `jobs`."""
    # The largest first, or the last thread would be left alone with it.
    order = sorted(range(len(contents)), key=lambda index: len(contents[index]), reverse=True)
    results: list[_Stored | None] = [None] * len(contents)
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        for index, stored in zip(order, pool.map(_compress, (contents[i] for i in order)), strict=True):
            results[index] = stored
    return [stored for stored in results if stored is not None]


def _level(content: bytes) -> int:
    if is_elf(content) and not is_program(content):
        return _LIBRARIES
    return _LARGE_FILES if len(content) > _LARGE else _SMALL_FILES


def _compress(content: bytes) -> _Stored:
    if len(content) >= _SMALLEST:
        if not hasattr(_local, "compressors"):
            _local.compressors = {level: zstandard.ZstdCompressor(level=level) for level in _LEVELS}
        packed: bytes = _local.compressors[_level(content)].compress(content)
        if len(packed) < len(content):
            return _Stored(packed, len(content), Compression.ZSTD)
    return _Stored(content, len(content), Compression.NONE)


class BlobWriter:
    """Writes blobs to a stream; equal ones only once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._known: dict[tuple[bytes, Compression], Blob] = {}
        self.size = 0

    def raw(self, content: bytes) -> Blob:
        """Store bytes as they are."""
        return self.stored(_Stored(content, len(content), Compression.NONE))

    def stored(self, stored: _Stored) -> Blob:
        """Store what `compress_all` made."""
        key = stored.payload, stored.compression
        if key not in self._known:
            checksum = xxhash.xxh64_intdigest(stored.payload)
            size = len(stored.payload)
            self._known[key] = Blob(self.size, size, stored.raw, stored.compression, checksum)
            self._stream.write(stored.payload)
            self.size += size
        return self._known[key]
