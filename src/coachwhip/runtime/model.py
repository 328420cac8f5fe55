"""What a finished runtime is, as its `runtime.json` tells. See `docs/reference/runtime.md`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coachwhip.errors import RuntimeBuildError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["FORMAT", "Builtin", "Optimization", "Runtime", "Source", "runtime_document"]

#: Version of `runtime.json`.
FORMAT = 1

#: How the interpreter was compiled: with a profile of a training run, or plain -O3.
Optimization = str


@dataclass(frozen=True)
class Builtin:
    """An extension module of the standard library inside the static library.

    Attributes:
        name: as imported, `_json`.
        init: its init function, `PyInit__json`; empty for the few that the interpreter makes by itself.
        libs: names of the archives that it alone brings in, `("ssl", "crypto")`.
    """

    name: str
    init: str
    libs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A source archive that went into a runtime.

    Attributes:
        name: of the project.
        version: of the release.
        sha256: of the archive that was used, hex.
        origin: where that archive came from: a URL, or `debian:SUITE/PACKAGE=VERSION`.
        licenses: paths of its licence files, relative to the runtime's root.
    """

    name: str
    version: str
    sha256: str
    origin: str
    licenses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Runtime:
    """A CPython made for a target: static library, headers, standard library, licences.

    Attributes:
        root: its directory.
        python_version: full version, `3.13.5`.
        abi: `cp313`.
        platform: what it was compiled for, `x86_64-linux-gnu.2.17`.
        recipe: hash of the recipe it was made by, 16 hex digits.
        optimization: `pgo` or `quick`.
        builtins: all extension modules in the static library, in the order of the import table.
        link_archives: archives to link, relative to the root, in order.
        link_system: system libraries to link after them, `("-lm", ...)`.
        sources: what it was made from.
        glibc_floor: the oldest glibc it runs on, `(2, 17)`.
        carried: shared libraries that products may take along, relative to the root, named as they are asked
            for; what one of them needs comes before it.
        pie: whether its code is position-independent, for hardened products.
    """

    root: Path
    python_version: str
    abi: str
    platform: str
    recipe: str
    optimization: Optimization
    builtins: tuple[Builtin, ...]
    link_archives: tuple[str, ...]
    link_system: tuple[str, ...]
    sources: tuple[Source, ...]
    glibc_floor: tuple[int, int]
    carried: tuple[str, ...] = ()
    pie: bool = False

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version, `(3, 13)`."""
        major, minor, *_ = self.python_version.split(".")
        return int(major), int(minor)

    @property
    def archives(self) -> tuple[Path, ...]:
        """The static libraries, in link order."""
        return tuple(self.root / name for name in self.link_archives)

    @property
    def carried_libraries(self) -> tuple[Path, ...]:
        """The shared libraries that products may take along."""
        return tuple(self.root / name for name in self.carried)

    @property
    def exports(self) -> Path:
        """The list of symbols that an executable must export, for ld's `--dynamic-list`."""
        return self.root / "lib" / "exports.list"

    @property
    def include(self) -> Path:
        """The directory that holds `Python.h`."""
        return self.root / "include" / f"python{self._dotted}"

    @property
    def stdlib(self) -> Path:
        """The standard library's Python sources, test suite left out."""
        return self.root / "stdlib"

    @property
    def test_stdlib(self) -> Path:
        """A directory that holds the `test` package; put it on `sys.path` to run CPython's own tests."""
        return self.root / "stdlib-test"

    @property
    def interpreter(self) -> Path:
        """An ordinary, relocatable Python interpreter made of this runtime."""
        return self.root / "bin" / f"python{self._dotted}"

    @property
    def licenses(self) -> Path:
        """A directory with one directory of licence files per source."""
        return self.root / "licenses"

    @property
    def _dotted(self) -> str:
        return "{}.{}".format(*self.version)

    @classmethod
    def load(cls, root: Path) -> Runtime:
        """Read and check the `runtime.json` of a finished runtime.

        Raises:
            RuntimeBuildError: there is none, it can't be understood, or files that it names are missing.
        """
        try:
            text = (root / "runtime.json").read_bytes()
        except OSError as error:
            raise RuntimeBuildError(
                f"{root} is not a runtime: it has no readable runtime.json",
                hint="remove it and run `coachwhip runtime install` again",
            ) from error
        try:
            runtime = cls.parse(root, json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RuntimeBuildError(
                f"the runtime in {root} has a damaged runtime.json: {error}",
                hint="remove it and run `coachwhip runtime install` again",
            ) from error
        _check_files(runtime)
        return runtime

    @classmethod
    def parse(cls, root: Path, document: Mapping[str, Any]) -> Runtime:
        """Make a Runtime of a decoded `runtime.json`; ValueError, KeyError or TypeError when it is wrong."""
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r} instead of {FORMAT}")
        link = document["link"]
        major, minor = str(document["glibc_floor"]).split(".")
        return cls(
            root=root,
            python_version=_text(document["python"]),
            abi=_text(document["abi"]),
            platform=_text(document["target"]),
            recipe=_text(document["recipe"]),
            optimization=_text(document["optimization"]),
            builtins=tuple(
                Builtin(_text(b["name"]), _text(b["init"]), _texts(b["libs"])) for b in document["builtins"]
            ),
            link_archives=_texts(link["archives"]),
            link_system=_texts(link["system"]),
            sources=tuple(
                Source(
                    _text(s["name"]),
                    _text(s["version"]),
                    _text(s["sha256"]),
                    _text(s["origin"]),
                    _texts(s["licenses"]),
                )
                for s in document["sources"]
            ),
            glibc_floor=(int(major), int(minor)),
            # Runtimes of releases that carried nothing are still listed and removed.
            carried=_texts(document.get("carried", [])),
            pie=_flag(document.get("pie", False)),
        )


def _check_files(runtime: Runtime) -> None:
    wanted = [*runtime.archives, runtime.exports, runtime.include / "Python.h", runtime.stdlib / "os.py"]
    for path in [*wanted, runtime.interpreter, *runtime.carried_libraries]:
        if not path.exists():
            raise RuntimeBuildError(
                f"the runtime in {runtime.root} is incomplete: {path.relative_to(runtime.root)} is missing",
                hint="remove it and run `coachwhip runtime install` again",
            )


def runtime_document(runtime: Runtime) -> dict[str, Any]:
    """The content of `runtime.json`; `Runtime.parse` reads it back."""
    return {
        "format": FORMAT,
        "python": runtime.python_version,
        "abi": runtime.abi,
        "target": runtime.platform,
        "recipe": runtime.recipe,
        "optimization": runtime.optimization,
        "glibc_floor": "{}.{}".format(*runtime.glibc_floor),
        "builtins": [{"name": b.name, "init": b.init, "libs": list(b.libs)} for b in runtime.builtins],
        "link": {"archives": list(runtime.link_archives), "system": list(runtime.link_system)},
        "exports": "lib/exports.list",
        "carried": list(runtime.carried),
        "pie": runtime.pie,
        "sources": [
            {
                "name": s.name,
                "version": s.version,
                "sha256": s.sha256,
                "origin": s.origin,
                "licenses": list(s.licenses),
            }
            for s in runtime.sources
        ],
    }


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} instead of a text")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} instead of true or false")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} instead of a list")
    return tuple(_text(item) for item in value)
