"""Small bundles and a stub that is nothing but ELF headers."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import xxhash
import zstandard

from coachwhip.image import ImageReader, Manifest, plan_image, write_product
from coachwhip.image.format import PAGE, SNAPSHOT_MAGIC, SNAPSHOT_ROOM
from coachwhip.image.manifest import DistributionRecord, NativeRecord
from coachwhip.image.snapshot import SnapshotHead, with_head
from coachwhip.model import (
    Blob,
    Bundle,
    Compression,
    Distribution,
    EntryPoint,
    Layer,
    NativeLib,
    Node,
    Settings,
    Target,
)

if TYPE_CHECKING:
    from pathlib import Path

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")


LOADER = b"/lib64/ld-linux-x86-64.so.2\0"


def fake_stub(*, note: bool = True, size: int = 5000, pie: bool = False) -> bytes:
    """An ELF file with a load segment, a loader's name and, for an image to take, a note segment."""
    base = 0 if pie else 0x400000
    headers = [
        PHDR.pack(1, 5, 0, base, base, 0x1000, 0x1001, 0x1000),
        PHDR.pack(3, 4, 0x200, base + 0x200, base + 0x200, len(LOADER), len(LOADER), 1),
    ]
    if note:
        headers.insert(0, PHDR.pack(4, 4, 0x100, base + 0x100, base + 0x100, 24, 24, 4))
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = EHDR.pack(
        ident,
        3 if pie else 2,
        62,
        1,
        base + 0x1000,
        EHDR.size,
        0,
        0,
        EHDR.size,
        PHDR.size,
        len(headers),
        0,
        0,
        0,
    )
    return ((header + b"".join(headers)).ljust(0x200, b"\xcc") + LOADER).ljust(size, b"\xcc")


def memory_of(product: bytes, size: int = 3 * PAGE) -> bytes:
    """What a product would have saved of itself, as far as a writer looks at it."""
    reader = ImageReader(product)
    head = SnapshotHead(
        magic=SNAPSHOT_MAGIC,
        size=SNAPSHOT_ROOM + size,
        stub_id=reader.stub_id,
        image_id=bytes(32),
        tables_checksum=reader.tables_checksum,
        heap_end=0x1000000000 + size,
        arenas_end=0x1800000000,
        ranges=1,
        locals_size=0,
        gates_size=0,
        plan_size=0,
        working_set_size=0,
        cpu=bytes(24),
        checksum=0,
    )
    return with_head(bytes(SNAPSHOT_ROOM), head) + bytes(range(256)) * (size // 256)


class LayerBuilder:
    """Collects files into a layer whose blobs lie in one file."""

    def __init__(self, name: str, blobs: Path) -> None:
        self._name = name
        self._path = blobs
        self._blobs = bytearray()
        self._nodes: list[Node] = []

    def blob(self, content: bytes, *, compress: bool = False) -> Blob:
        stored = zstandard.ZstdCompressor().compress(content) if compress else content
        offset = len(self._blobs)
        self._blobs += stored
        compression = Compression.ZSTD if compress else Compression.NONE
        return Blob(offset, len(stored), len(content), compression, xxhash.xxh64_intdigest(stored))

    def add(  # noqa: PLR0913  (a file has many sides)
        self,
        path: str,
        data: bytes | None = b"",
        *,
        code: bytes | None = None,
        compress: bool = False,
        executable: bool = False,
        native: NativeLib | None = None,
    ) -> LayerBuilder:
        self._nodes.append(
            Node(
                path,
                None if data is None else self.blob(data, compress=compress),
                None if code is None else self.blob(code),
                executable,
                native,
            )
        )
        return self

    def layer(self, *path_lines: str) -> Layer:
        self._path.write_bytes(self._blobs)
        nodes = tuple(sorted(self._nodes, key=lambda node: node.path))
        return Layer(Distribution(self._name, "1.0"), nodes, self._path, path_lines)


def native(*needed: str, runpath: tuple[str, ...] = (), soname: str = "") -> NativeLib:
    return NativeLib(soname, needed, runpath, (2, 17), "memcpy")


def bundle(*layers: Layer, settings: Settings | None = None) -> Bundle:
    return Bundle(
        "sample", "1.0", EntryPoint("sample", "pkg", "main"), Target((3, 13)), layers, settings or Settings()
    )


def small_layer(tmp_path: Path) -> Layer:
    return (
        LayerBuilder("pkg", tmp_path / "blobs")
        .add("bin/sample", b"import pkg", code=b"entry code")
        .add("lib/python3.13/pkg/__init__.py", b"x = 1\n" * 100, code=b"package code", compress=True)
        .add("lib/python3.13/pkg/data.txt", "Größe".encode())
        .add("lib/python3.13/pkg/bare.py", None, code=b"no source")
        .layer("import pkg")
    )


def manifest() -> Manifest:
    return Manifest(
        builder="0",
        app="sample",
        version="1.0",
        entry="pkg:main",
        target=str(Target((3, 13))),
        python="3.13.5",
        runtime="0" * 16,
        stub_glibc="2.17",
        distributions=(DistributionRecord("pkg", "1.0", "", "", 4, 1, 1),),
        natives=(NativeRecord("lib/a.so", "2.5", "memcpy", 1, 1),),
    )


def product(tmp_path: Path, settings: Settings | None = None) -> bytes:
    """A whole product of the small layer."""
    plan = plan_image(bundle(small_layer(tmp_path), settings=settings), "bin/sample")
    output = io.BytesIO()
    write_product(fake_stub(), plan, manifest(), output)
    return output.getvalue()
