"""A layer as a JSON document, kept beside its blobs in the cache. Pure."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from coachwhip.collect.model import Note
from coachwhip.model import Blob, Compression, Layer, NativeLib, Node

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from coachwhip.collect.build import BuiltLayer
    from coachwhip.model import Distribution

__all__ = ["FORMAT", "decode_layer", "decode_notes", "encode_layer"]

#: Version of the document, and of everything else about how layers are made: part of their cache key.
FORMAT = 8

_EXECUTABLE = 1


def encode_layer(built: BuiltLayer, notes: Iterable[Note]) -> bytes:
    """Encode what was built; `notes` come before its own."""
    document = {
        "format": FORMAT,
        "size": built.size,
        "path_lines": built.path_lines,
        "nodes": [_encode_node(node) for node in built.nodes],
        "notes": [[note.path, note.message, note.line] for note in (*notes, *built.notes)],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def decode_layer(text: bytes, distribution: Distribution, blobs: Path) -> tuple[Layer, int]:
    """Decode a layer and the size that its blob file must have.

    Raises:
        ValueError: it is no such document, or one of another format.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r} instead of {FORMAT}")
        nodes = tuple([_decode_node(*item) for item in document["nodes"]])
        layer = Layer(distribution, nodes, blobs, tuple(document["path_lines"]))
        return layer, int(document["size"])
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"not a layer: {error}") from error


def decode_notes(text: bytes) -> tuple[Note, ...]:
    """Decode the notes of a layer's document."""
    return tuple(Note(*item) for item in json.loads(text)["notes"])


def _encode_node(node: Node) -> list[Any]:
    native = astuple(node.native) if node.native else None
    flags = _EXECUTABLE if node.executable else 0
    return [node.path, flags, _encode_blob(node.data), _encode_blob(node.code), native]


def _encode_blob(blob: Blob | None) -> list[int] | None:
    if blob is None:
        return None
    return [blob.offset, blob.stored, blob.raw, blob.compression.value, blob.checksum]


_COMPRESSIONS = {item.value: item for item in Compression}


def _decode_node(path: str, flags: int, data: Any, code: Any, native: Any) -> Node:  # noqa: ANN401  from JSON
    return Node(
        path,
        _decode_blob(data),
        _decode_blob(code),
        bool(flags & _EXECUTABLE),
        native and _decode_native(*native),
    )


def _decode_native(*item: Any) -> NativeLib:  # noqa: ANN401  from JSON
    soname, needed, runpath, glibc, symbol, versions, offers, *rest = item
    return NativeLib(
        soname,
        tuple(needed),
        tuple(runpath),
        (glibc[0], glibc[1]),
        symbol,
        tuple((library, version) for library, version in versions),
        tuple(offers),
        *rest,
    )


def _decode_blob(item: list[int] | None) -> Blob | None:
    if item is None:
        return None
    return Blob(item[0], item[1], item[2], _COMPRESSIONS[item[3]], item[4])
