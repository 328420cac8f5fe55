"""Prelink the native libraries of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

from coachwhip.effects.source import read_bytes, read_range
from coachwhip.image import is_carried, library_folders, needed_libraries
from coachwhip.model import Compression
from coachwhip.prelink import Native, prelink, read_outside
from coachwhip.runtime.toolchain import glibc_libraries

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.model import Blob, Bundle, Node
    from coachwhip.prelink import Prelinked
    from coachwhip.runtime.toolchain import Toolchain

__all__ = ["prelink_bundle"]


def prelink_bundle(bundle: Bundle, stub: bytes, toolchain: Toolchain) -> Prelinked:
    """Return the bundle's native libraries, relocated for their places beside a stub.

    Raises:
        MachineError: the cached layers can't be read.
        ImageError: there are more libraries than there is room for.
    """
    files: dict[str, tuple[Node, Path]] = {}
    for layer in bundle.layers:
        for node in layer.nodes:
            files.setdefault(node.path, (node, layer.blobs))
    needed = needed_libraries({path: node for path, (node, _) in files.items()})
    natives = [
        Native(
            path,
            _content(node.data, blobs),
            library_folders(path, node.native),
            needed[path],
            carried=is_carried(path),
        )
        for path, (node, blobs) in files.items()
        if node.native is not None and node.data is not None
    ]
    return prelink(natives, read_outside(stub, map(read_bytes, glibc_libraries(toolchain))))


def _content(blob: Blob, blobs: Path) -> bytes:
    stored = read_range(blobs, blob.offset, blob.stored)
    if blob.compression is Compression.ZSTD:
        return zstandard.ZstdDecompressor().decompress(stored)
    return stored
