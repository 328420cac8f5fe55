"""Encode a plan's tables: nodes, strings, path hash, dependencies, lists, settings."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import xxhash

from coachwhip.image.format import BLOB, LIST, NODE, SETTINGS, STRING, Section, SettingsFlag
from coachwhip.image.libraries import encode_libraries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coachwhip.image.plan import BlobPlace, ImagePlan

__all__ = ["encode_tables"]


class _Strings:
    """A pool of NUL-terminated UTF-8 strings, each stored once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._known: dict[str, bytes] = {}

    def add(self, text: str) -> bytes:
        """Return the encoded reference to `text`."""
        known = self._known.get(text)
        if known is None:
            encoded = text.encode("utf-8", "surrogateescape")
            known = STRING.pack(len(self.data), len(encoded))
            self.data += encoded + b"\0"
            self._known[text] = known
        return known


class _Lists:
    """An array of string references, cut into lists."""

    def __init__(self, strings: _Strings) -> None:
        self.data = bytearray()
        self._strings = strings

    def add(self, items: Iterable[str]) -> bytes:
        """Return the encoded reference to a list of `items`."""
        first = len(self.data) // STRING.size
        for item in items:
            self.data += self._strings.add(item)
        return LIST.pack(first, len(self.data) // STRING.size - first)


def encode_tables(plan: ImagePlan, manifest: bytes) -> dict[Section, bytes]:
    """Return the bytes of every section but the data, in the order of the file."""
    strings = _Strings()
    lists = _Lists(strings)
    nodes, deps = bytearray(), bytearray()
    for node in plan.nodes:
        nodes += strings.add(node.path)
        nodes += NODE.pack(
            node.parent,
            node.first_child,
            node.child_count,
            len(deps) // 4,
            len(node.deps),
            node.kind,
            node.flags,
        )
        nodes += _blob(node.data) + _blob(node.code)
        deps += struct.pack(f"<{len(node.deps)}I", *node.deps)
    settings = _settings(plan, strings, lists)
    libraries = encode_libraries(plan, strings.add, lists.add)
    return {
        Section.NODES: bytes(nodes),
        Section.STRINGS: bytes(strings.data),
        Section.PATHS: _path_hash([node.path for node in plan.nodes]),
        Section.DEPS: bytes(deps),
        Section.LISTS: bytes(lists.data),
        Section.SETTINGS: settings,
        Section.MANIFEST: manifest,
        **libraries,
    }


def _blob(place: BlobPlace | None) -> bytes:
    if place is None:
        return bytes(BLOB.size)
    return BLOB.pack(place.offset, place.blob.stored, place.blob.raw, place.blob.checksum)


def _settings(plan: ImagePlan, strings: _Strings, lists: _Lists) -> bytes:
    bundle = plan.bundle
    flags = SettingsFlag(0)
    if bundle.settings.interpreter:
        flags |= SettingsFlag.INTERPRETER
    if bundle.settings.environment:
        flags |= SettingsFlag.ENVIRONMENT
    if bundle.settings.rebake:
        flags |= SettingsFlag.REBAKE
    return b"".join(
        (
            SETTINGS.pack(flags, bundle.settings.optimize, plan.entry, 0),
            strings.add(bundle.name),
            strings.add(bundle.version),
            strings.add(bundle.target.python_version),
            strings.add(bundle.entry.module),
            lists.add(bundle.settings.xoptions),
            lists.add(bundle.settings.warnings),
            lists.add(line for layer in bundle.layers for line in layer.path_lines),
        )
    )


def _path_hash(paths: list[str]) -> bytes:
    """Open addressing with linear probing on the low bits of XXH64; at most half full."""
    slots = 1 << (2 * len(paths)).bit_length()
    table = [0] * slots
    for number, path in enumerate(paths):
        slot = xxhash.xxh64_intdigest(path.encode("utf-8", "surrogateescape")) & 0xFFFFFFFF & (slots - 1)
        while table[slot]:
            slot = (slot + 1) & (slots - 1)
        table[slot] = number + 1
    return struct.pack(f"<{slots}I", *table)
