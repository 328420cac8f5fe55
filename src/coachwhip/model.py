"""Values that cross the parts of a build. All are frozen; none touches the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "APP_ROOT",
    "WHEEL_SHEBANG",
    "Blob",
    "Bundle",
    "Compression",
    "Distribution",
    "EntryPoint",
    "Layer",
    "NativeLib",
    "Node",
    "Settings",
    "SnapshotWish",
    "Target",
    "Wheel",
]

#: Where a product's own files appear to live for the program inside it. The same in every product,
#: so that file names in bytecode do not depend on the building machine or the user's home.
APP_ROOT = "/__app__"

#: What the first line of a Python script in a wheel begins with; installers put the interpreter there.
WHEEL_SHEBANG = b"#!python"


@dataclass(frozen=True)
class Target:
    """Where a product must run.

    Attributes:
        python: version of the interpreter, `(3, 13)`.
        glibc: the newest glibc that may be required, `(2, 17)`.
        arch: machine architecture as `uname -m` gives it.
        firm: whether `glibc` is a promise to be kept. Otherwise it is what is preferred: a release that has
            wheels for a newer one only raises it.
    """

    python: tuple[int, int]
    glibc: tuple[int, int] = (2, 17)
    arch: str = "x86_64"
    firm: bool = True

    @property
    def python_version(self) -> str:
        """`3.13`."""
        return f"{self.python[0]}.{self.python[1]}"

    @property
    def abi(self) -> str:
        """`cp313`."""
        return f"cp{self.python[0]}{self.python[1]}"

    @property
    def platform(self) -> str:
        """`manylinux_2_17_x86_64`."""
        return f"manylinux_{self.glibc[0]}_{self.glibc[1]}_{self.arch}"

    def __str__(self) -> str:
        return f"{self.abi}-{self.abi}-{self.platform}"


@dataclass(frozen=True)
class EntryPoint:
    """What runs when a product is started.

    Either `module` and `attribute` (a console script) or `source` (a script's text) is set.

    Attributes:
        name: the console script's name; also the name of the product's file.
        module: dotted module name, empty for a plain script.
        attribute: what to call in the module, dotted; empty to run the module as `-m` does.
        source: text of a plain `.py` script, run as `__main__`.
    """

    name: str
    module: str = ""
    attribute: str = ""
    source: bytes | None = None


@dataclass(frozen=True)
class Wheel:
    """One wheel to be put into the product.

    Attributes:
        name: normalised project name.
        version: version as in the wheel's metadata.
        path: the wheel file on this machine.
        sha256: its hash, hex.
        tags: its compressed tag set as in the file name, `cp313-cp313-manylinux_2_17_x86_64`.
        origin: `index`, `built` or `local`.
    """

    name: str
    version: str
    path: Path
    sha256: str
    tags: str
    origin: str


@dataclass(frozen=True)
class Distribution:
    """An installed project inside a bundle; `wheel` is its sha256, empty for the standard library."""

    name: str
    version: str
    wheel: str = ""
    tags: str = ""


class Compression(Enum):
    """How a blob is stored. The values are those of the image format."""

    NONE = 0
    ZSTD = 1


@dataclass(frozen=True)
class Blob:
    """A run of stored bytes in a layer's blob file.

    Attributes:
        offset: of the first byte in the blob file.
        stored: bytes as stored.
        raw: bytes after decompression.
        compression: how they are stored.
        checksum: XXH64 (seed 0) of the stored bytes.
    """

    offset: int
    stored: int
    raw: int
    compression: Compression
    checksum: int


@dataclass(frozen=True)
class NativeLib:
    """What an ELF file in a bundle needs and offers.

    Attributes:
        soname: its DT_SONAME or empty.
        needed: DT_NEEDED in order.
        runpath: DT_RUNPATH or DT_RPATH entries as written, `$ORIGIN` included.
        glibc: the newest GLIBC_x.y version that it requires, `(0, 0)` when none.
        glibc_symbol: one symbol of that version, for reports.
        versions: versions of symbols that it requires of other libraries, `(library, version)`.
        offers: versions of symbols that it has.
        program: whether it is started by itself, and so names a loader.
        quiet: nothing outside of the process notices what its code does, unless Python does it.
    """

    soname: str
    needed: tuple[str, ...]
    runpath: tuple[str, ...]
    glibc: tuple[int, int]
    glibc_symbol: str
    versions: tuple[tuple[str, str], ...] = ()
    offers: tuple[str, ...] = ()
    program: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Node:
    """One file of a layer.

    Attributes:
        path: POSIX path below the app root, `lib/python3.13/json/decoder.py`.
        data: the file's bytes; None when they were dropped (`sources = false`).
        code: marshalled code object when the file is a Python module; None otherwise.
        executable: whether the file has an execute bit.
        native: set when the file is an ELF shared library or extension module.
    """

    path: str
    data: Blob | None
    code: Blob | None = None
    executable: bool = False
    native: NativeLib | None = None


@dataclass(frozen=True)
class Layer:
    """The image-ready content of one distribution or of the standard library.

    Made once per (wheel, runtime, options) and cached; an image is a concatenation of layers.

    Attributes:
        distribution: what it is.
        nodes: its files, sorted by path.
        blobs: file that holds the blobs' bytes.
        path_lines: lines of `.pth` files, comments and blanks left out.
    """

    distribution: Distribution
    nodes: tuple[Node, ...]
    blobs: Path
    path_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What a product is told about how to behave, as stored in its image.

    Attributes:
        interpreter: whether the product may act as a Python interpreter when asked from outside.
        environment: honour `PYTHON*` variables (False: ignored).
        rebake: whether users may have a snapshot of their own made, with `--coachwhip-bake`.
        xoptions: `-X` options to start with, `("dev", "importtime")`.
        warnings: `-W` filters to start with.
        optimize: 0, 1 or 2, as `-O` and `-OO`.
    """

    interpreter: bool = True
    environment: bool = False
    rebake: bool = True
    xoptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    optimize: int = 0


@dataclass(frozen=True)
class Bundle:
    """Everything that goes into an image except the stub.

    Attributes:
        name: of the app; part of its cache directory's name.
        version: of the app, may be empty.
        entry: what runs.
        target: what it was resolved for.
        layers: in order of precedence; when two have the same path the first one wins.
        settings: behaviour of the product.
    """

    name: str
    version: str
    entry: EntryPoint
    target: Target
    layers: tuple[Layer, ...]
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class SnapshotWish:
    """What the configuration says about a product's snapshot.

    Attributes:
        wanted: whether one is to be made, where that is possible.
        train: argument lists that the app is run with, to learn what it imports.
        allow: modules, or packages with all in them, that are taken whatever they look at.
        deny: modules or packages that stay out.
        gate: environment variables that must not be set, beside those that the modules read.
        rebake: whether users may have one of their own made.
    """

    wanted: bool = True
    train: tuple[tuple[str, ...], ...] = (("--help",), ("--version",))
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    gate: tuple[str, ...] = ()
    rebake: bool = True
