"""Read a product's image from its bytes, every offset checked."""

from __future__ import annotations

import hashlib
import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash
import zstandard

from coachwhip.elf import ElfError
from coachwhip.elf.hardening import hardening
from coachwhip.errors import ImageError
from coachwhip.image.format import (
    BLOB,
    HEADER,
    HEADER_SIZE,
    LIBRARY,
    LIST,
    MAGIC,
    NO_CONTENT,
    NODE,
    NODE_SIZE,
    PIECE,
    RANGE,
    SETTINGS,
    SETTINGS_SIZE,
    STRING,
    VERSION,
    NodeFlag,
    NodeKind,
    Section,
    SettingsFlag,
)
from coachwhip.image.manifest import Manifest
from coachwhip.image.stub_elf import find_segment
from coachwhip.model import Settings
from coachwhip.prelink.originals import Memory, difference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from coachwhip.elf.hardening import Hardening

__all__ = ["ImageNode", "ImageReader", "read_image"]


@dataclass(frozen=True)
class ImageNode:
    """A file or directory of an image; blobs are (offset, stored, raw, checksum)."""

    path: str
    kind: NodeKind
    flags: NodeFlag
    data: tuple[int, int, int, int]
    code: tuple[int, int, int, int]

    @property
    def stored(self) -> int:
        """Bytes that it takes in the image."""
        return self.data[1] + self.code[1]


class ImageReader:
    """A checked view of a product's bytes.

    Args:
        file: the whole executable.

    Raises:
        ImageError: it is no product, or damaged.
    """

    def __init__(self, file: bytes | mmap.mmap) -> None:
        segment = find_segment(file[: 1 << 16])
        if segment is None:
            raise ImageError("this executable carries no image", hint="was it made by `coachwhip build`?")
        if segment.offset + segment.size > len(file):
            raise ImageError(
                f"the file is truncated: {len(file):,} bytes of {segment.offset + segment.size:,}",
                hint="copy or build it again",
            )
        self._file = file
        self.offset = segment.offset
        self.size = segment.size
        self._numbers: dict[str, int] = {}
        self._read_header()
        self._strings = self.section(Section.STRINGS)
        self.settings = self._read_settings()
        try:
            self.manifest = Manifest.from_json(self.section(Section.MANIFEST))
        except ValueError as error:
            raise _damaged("its manifest") from error

    @property
    def stub(self) -> bytes:
        """The executable in front of the image."""
        return self._file[: self.offset]

    def hardening(self) -> Hardening:
        """Return what the executable has against the exploitation of memory errors.

        Raises:
            ImageError: it is damaged.
        """
        try:
            return hardening(self.stub)
        except ElfError as error:
            raise ImageError(f"the executable before the image is damaged: {error}") from error

    def _read_header(self) -> None:
        header = self._slice(0, HEADER_SIZE)
        magic, version, size, image_size, file_size, image_id, stub_id = HEADER.unpack_from(header)
        if magic != MAGIC:
            raise _damaged("its header")
        if version != VERSION:
            raise ImageError(
                f"the image has format {version}, this version reads {VERSION}",
                hint="use the Coachwhip that built it, or build it again",
            )
        checksum = int.from_bytes(header[-8:], "little")
        if size != HEADER_SIZE or image_size != self.size or xxhash.xxh64_intdigest(header[:-8]) != checksum:
            raise _damaged("its header")
        self.file_size: int = file_size
        self.image_id: bytes = image_id
        self.stub_id: bytes = stub_id
        self._ranges = [RANGE.unpack_from(header, HEADER.size + n * RANGE.size) for n in Section]
        self.tables_checksum = int.from_bytes(header[-16:-8], "little")
        if any(offset + length > self.size for offset, length in self._ranges):
            raise _damaged("its header")

    def _slice(self, offset: int, size: int) -> bytes:
        if offset + size > self.size:
            raise _damaged("a part of it that")
        return self._file[self.offset + offset : self.offset + offset + size]

    def range(self, section: Section) -> tuple[int, int]:
        """Where a section lies in the image: offset and size."""
        offset, size = self._ranges[section]
        return offset, size

    def section(self, section: Section) -> bytes:
        """The bytes of one section."""
        return self._slice(*self._ranges[section])

    def size_of(self, section: Section) -> int:
        """The number of bytes of one section."""
        return int(self._ranges[section][1])

    def verify(self) -> None:
        """Check every checksum, stub included.

        Raises:
            ImageError: naming the first part that is damaged.
        """
        if len(self._file) != self.file_size:
            raise ImageError(f"the file has {len(self._file):,} bytes instead of {self.file_size:,}")
        body = self._slice(HEADER_SIZE, self.size - HEADER_SIZE)
        tables = body[: self._ranges[Section.DATA][0] - HEADER_SIZE]
        if xxhash.xxh64_intdigest(tables) != self.tables_checksum:
            raise _damaged("its index")
        if hashlib.sha256(self._file[: self.offset]).digest() != self.stub_id:
            raise _damaged("its interpreter")
        if hashlib.sha256(body).digest() != self.image_id:
            bad = next((node.path for node in self.nodes() if not self._intact(node)), "its data")
            raise _damaged(bad)

    def _intact(self, node: ImageNode) -> bool:
        return all(
            xxhash.xxh64_intdigest(self._blob(blob)) == blob[3]
            for flag, blob in ((NodeFlag.HAS_DATA, node.data), (NodeFlag.HAS_CODE, node.code))
            if node.flags & flag
        )

    def nodes(self) -> list[ImageNode]:
        """All files and directories, breadth-first."""
        table = self.section(Section.NODES)
        found = []
        for at in range(0, len(table), NODE_SIZE):
            path = self._string(table, at)
            *_, kind, flags = NODE.unpack_from(table, at + STRING.size)
            blobs = at + STRING.size + NODE.size
            data, code = BLOB.unpack_from(table, blobs), BLOB.unpack_from(table, blobs + BLOB.size)
            found.append(ImageNode(path, NodeKind(kind), NodeFlag(flags), data, code))
        return found

    def data(self, node: ImageNode) -> bytes:
        """The bytes of a file.

        Raises:
            ImageError: they are damaged, or were left out of the image.
        """
        if not node.flags & NodeFlag.HAS_DATA:
            raise ImageError(f"{node.path} has no content in this image")
        stored = self._blob(node.data)
        if not node.flags & NodeFlag.DATA_ZSTD:
            return stored
        try:
            data = zstandard.ZstdDecompressor().decompress(stored, max_output_size=node.data[2])
            if node.flags & NodeFlag.DATA_DIFFERENCE:
                return difference(data, self._memory(node))
        except (zstandard.ZstdError, ValueError) as error:
            raise _damaged(node.path) from error
        return data

    def _memory(self, node: ImageNode) -> Memory:
        table = self.section(Section.LIBRARIES)
        records = (LIBRARY.unpack_from(table, at) for at in range(0, len(table), LIBRARY.size))
        numbers = self._numbers or {found.path: number for number, found in enumerate(self.nodes())}
        self._numbers = numbers
        fields = next((record for record in records if record[0] == numbers[node.path]), None)
        if fields is None:
            raise ValueError("it is not among the prelinked libraries")
        (
            _,
            _,
            base,
            _,
            _,
            _,
            _,
            _,
            _,
            first,
            count,
            *_,
        ) = fields
        pages = self._ranges[Section.PAGES][0]
        pieces = []
        for address, size, offset, *_ in self._records(PIECE, Section.PIECES, first, count):
            if offset != NO_CONTENT:
                pieces.append((address, self._slice(pages + offset, size)))
        return Memory(base, fields[18:20], pieces)

    def _records(
        self, layout: struct.Struct, section: Section, first: int, count: int
    ) -> Iterator[tuple[int, ...]]:
        table = self.section(section)
        if (first + count) * layout.size > len(table):
            raise _damaged("its index")
        return layout.iter_unpack(table[first * layout.size : (first + count) * layout.size])

    def _blob(self, blob: tuple[int, int, int, int]) -> bytes:
        start, size = self._ranges[Section.DATA]
        if blob[0] + blob[1] > size:
            raise _damaged("a file of it")
        return self._slice(start + blob[0], blob[1])

    def _string(self, table: bytes, at: int) -> str:
        offset, size = STRING.unpack_from(table, at)
        if offset + size >= len(self._strings):
            raise _damaged("its index")
        return self._strings[offset : offset + size].decode("utf-8", "surrogateescape")

    def _list(self, table: bytes, at: int) -> tuple[str, ...]:
        first, count = LIST.unpack_from(table, at)
        items = self.section(Section.LISTS)
        if (first + count) * STRING.size > len(items):
            raise _damaged("its index")
        return tuple(self._string(items, (first + n) * STRING.size) for n in range(count))

    @property
    def entry_module(self) -> str:
        """The module that is imported before the entry runs; may be empty."""
        return self._string(self.section(Section.SETTINGS), SETTINGS.size + 3 * STRING.size)

    def _read_settings(self) -> Settings:
        table = self.section(Section.SETTINGS)
        if len(table) != SETTINGS_SIZE:
            raise _damaged("its settings")
        flags, optimize, _entry, _reserved = SETTINGS.unpack_from(table)
        lists = SETTINGS_SIZE - 3 * LIST.size
        return Settings(
            interpreter=bool(flags & SettingsFlag.INTERPRETER),
            environment=bool(flags & SettingsFlag.ENVIRONMENT),
            rebake=bool(flags & SettingsFlag.REBAKE),
            xoptions=self._list(table, lists),
            warnings=self._list(table, lists + LIST.size),
            optimize=optimize,
        )


def _damaged(what: str) -> ImageError:
    return ImageError(f"the product is damaged: {what} is not what it was", hint="copy or build it again")


def read_image(path: Path) -> ImageReader:
    """Open a product.

    Raises:
        ImageError: it is no product, or damaged.
        OSError: it can't be read.
    """
    with path.open("rb") as stream:
        try:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise ImageError(f"{path} is empty") from error
    try:
        return ImageReader(mapped)
    except (struct.error, UnicodeDecodeError) as error:
        raise _damaged("its index") from error
