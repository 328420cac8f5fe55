"""Bundle -> a complete plan of an image: every node, string and blob with its place.

The plan is computed before a byte is written, from values alone.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash

from coachwhip.image.format import NodeFlag, NodeKind
from coachwhip.image.natives import dependency_closures
from coachwhip.model import Blob, Compression

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from coachwhip.model import Bundle, Node
    from coachwhip.prelink.model import Prelinked

__all__ = ["BlobPlace", "ImagePlan", "PlannedNode", "plan_image"]

_ALIGNMENT = 16


@dataclass(frozen=True)
class BlobPlace:
    """A blob and its offset in the image's data section; `source` is its bytes, or the file that has them."""

    source: Path | bytes
    blob: Blob
    offset: int


@dataclass(frozen=True)
class PlannedNode:
    """A node with its relations resolved to indices."""

    path: str
    parent: int
    first_child: int
    child_count: int
    kind: NodeKind
    flags: NodeFlag
    deps: tuple[int, ...]
    data: BlobPlace | None
    code: BlobPlace | None


@dataclass(frozen=True)
class ImagePlan:
    """All nodes breadth-first (children contiguous and sorted), and the blobs in file order.

    `prelinked` are the libraries that are mapped from the image.
    """

    bundle: Bundle
    nodes: tuple[PlannedNode, ...]
    blobs: tuple[BlobPlace, ...]
    entry: int
    data_size: int
    prelinked: Prelinked | None = None


class _Placement:
    """Hands out offsets in the data section, in the order of the calls."""

    def __init__(self) -> None:
        self.blobs: list[BlobPlace] = []
        self.size = 0

    def place(self, source: Path | bytes, blob: Blob | None) -> BlobPlace | None:
        if blob is None:
            return None
        offset = -(-self.size // _ALIGNMENT) * _ALIGNMENT
        placed = BlobPlace(source, blob, offset)
        self.blobs.append(placed)
        self.size = offset + blob.stored
        return placed


def plan_image(bundle: Bundle, entry_path: str, prelinked: Prelinked | None = None) -> ImagePlan:
    """Lay out a bundle.

    Args:
        bundle: what goes in; where two layers have the same path the first one wins.
        entry_path: path of the node whose code is run as `__main__`.
        prelinked: native libraries of the bundle that are to be mapped from the image.

    Raises:
        ValueError: there is no such node, or a path is both a file and a directory.
    """
    files: dict[str, tuple[Node, Path]] = {}
    for layer in bundle.layers:
        for node in layer.nodes:
            files.setdefault(node.path, (node, layer.blobs))
    order, children = _breadth_first(files)
    index = {path: number for number, path in enumerate(order)}
    if entry_path not in files or files[entry_path][0].code is None:
        raise ValueError(f"{entry_path!r} is not a module of the bundle")
    closures = dependency_closures({path: node for path, (node, _) in files.items()})
    # Code first: a start touches only code, which then lies together.
    placement = _Placement()
    code = {path: placement.place(files[path][1], files[path][0].code) for path in order if path in files}
    stored = _Data(files, prelinked)
    data = {path: placement.place(*stored.of(path)) for path in order if path in files}
    nodes = []
    for path in order:
        below = children[path]
        file = files.get(path)
        nodes.append(
            PlannedNode(
                path=path,
                parent=index[path.rpartition("/")[0]],
                first_child=index[below[0]] if below else 0,
                child_count=len(below),
                kind=NodeKind.FILE if file else NodeKind.DIRECTORY,
                flags=_flags(file[0]) | stored.flags(path) if file else NodeFlag(0),
                deps=tuple(index[dep] for dep in closures.get(path, ())),
                data=data.get(path),
                code=code.get(path),
            )
        )
    return ImagePlan(
        bundle, tuple(nodes), tuple(placement.blobs), index[entry_path], placement.size, prelinked
    )


class _Data:
    """The content of files as it is stored: that of prelinked libraries as the difference to their memory."""

    def __init__(self, files: Mapping[str, tuple[Node, Path]], prelinked: Prelinked | None) -> None:
        self._files = files
        self._originals = prelinked.originals if prelinked else {}

    def of(self, path: str) -> tuple[Path | bytes, Blob | None]:
        """Return a file's blob, and its bytes or the file that has them."""
        node, blobs = self._files[path]
        if path not in self._originals:
            return blobs, node.data
        packed, size = self._originals[path]
        checksum = xxhash.xxh64_intdigest(packed)
        return packed, Blob(0, len(packed), size, Compression.ZSTD, checksum)

    def flags(self, path: str) -> NodeFlag:
        """Return the flags that tell how it is stored, as far as the node does not."""
        if path not in self._originals:
            return NodeFlag(0)
        return NodeFlag.DATA_ZSTD | NodeFlag.DATA_DIFFERENCE


def _flags(node: Node) -> NodeFlag:
    flags = NodeFlag(0)
    if node.data is not None:
        flags |= NodeFlag.HAS_DATA
        if node.data.compression is Compression.ZSTD:
            flags |= NodeFlag.DATA_ZSTD
    if node.code is not None:
        flags |= NodeFlag.HAS_CODE
    if node.executable:
        flags |= NodeFlag.EXECUTABLE
    if node.native is not None:
        flags |= NodeFlag.NATIVE
        if node.native.quiet:
            flags |= NodeFlag.QUIET
    return flags


def _breadth_first(files: dict[str, tuple[Node, Path]]) -> tuple[list[str], dict[str, list[str]]]:
    """All paths, directories included, so that the children of a directory follow each other."""
    children: defaultdict[str, set[str]] = defaultdict(set)
    for path in files:
        child = path
        while child:
            parent = child.rpartition("/")[0]
            if parent in files:
                raise ValueError(f"{parent!r} is a file and a directory")
            if child in children[parent]:
                break
            children[parent].add(child)
            child = parent
    ordered = {path: sorted(below) for path, below in children.items()}
    order = [""]
    for path in order:
        order.extend(ordered.get(path, ()))
    return order, defaultdict(list, ordered)
