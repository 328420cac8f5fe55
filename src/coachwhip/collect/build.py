"""Raw files -> a layer: modules compiled, data compressed, native libraries looked into."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import xxhash

from coachwhip.collect.blobs import BlobWriter, compress_all
from coachwhip.collect.compiler import Compiled, compile_modules
from coachwhip.collect.model import Note, library, site_packages
from coachwhip.collect.patterns import FOLDER, encode_patterns
from coachwhip.elf import ElfError, is_elf, native_lib, read_header
from coachwhip.model import APP_ROOT, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from coachwhip.collect.compiler import Interpreter
    from coachwhip.collect.model import Options, PythonRuntime, RawFile
    from coachwhip.model import NativeLib

__all__ = ["BuiltLayer", "build_layer"]

_PYC_HEADER = 16
#: Flags of a .pyc file: never compared with a source.
_UNCHECKED = (1).to_bytes(4, "little")
_ARCHITECTURE = "x86_64"


_Compiler: TypeAlias = "Callable[[Sequence[tuple[str, bytes]]], tuple[Interpreter, list[Compiled]]]"


@dataclass(frozen=True)
class BuiltLayer:
    """The content of a layer as built.

    Attributes:
        nodes: its files, sorted by path.
        size: bytes of the blob file.
        path_lines: lines of `.pth` files.
        notes: what the build report says about it.
        imports: names that each module may import from the standard library, by path.
    """

    nodes: tuple[Node, ...]
    size: int
    path_lines: tuple[str, ...]
    notes: tuple[Note, ...]
    imports: dict[str, tuple[str, ...]]


def build_layer(
    files: Sequence[RawFile], runtime: PythonRuntime, options: Options, blobs: Path
) -> BuiltLayer:
    """Make the content of a layer.

    Args:
        files: what is in it; where a path occurs twice the first one wins.
        runtime: compiles the modules.
        options: how.
        blobs: file to write the blobs to.

    Raises:
        BuildError: the runtime's interpreter does not work.
        MachineError: it can't be started.
        OSError: the disk is full or the like.
    """
    ordered = sorted({file.path: file for file in reversed(files)}.values(), key=lambda file: file.path)
    jobs = options.jobs or len(os.sched_getaffinity(0))
    compiler = partial(compile_modules, runtime.interpreter, optimize=options.optimize, jobs=jobs)
    interpreter, modules, notes = _modules(ordered, library(runtime.python_version), compiler)
    kept = [file for file in ordered if not (file.path.endswith(".pyc") and file.path[:-1] in modules)]
    stored = compress_all([_content(file, modules, interpreter) for file in kept], jobs)
    with blobs.open("wb") as stream:
        writer = BlobWriter(stream)
        # All code before all data: the start of a program reads code only, which then lies together.
        code = {path: writer.raw(module.code) for path, module in sorted(modules.items())}
        nodes = [
            Node(
                path=file.path,
                data=writer.stored(item),
                code=code.get(file.path),
                executable=file.executable,
                native=_native(file, notes),
            )
            for file, item in zip(kept, stored, strict=True)
        ]
        nodes += _pattern_table(modules.values(), library(runtime.python_version), writer)
    return BuiltLayer(
        nodes=tuple(sorted(nodes, key=lambda node: node.path)),
        size=writer.size,
        path_lines=_path_lines(kept, site_packages(runtime.python_version)),
        notes=tuple(sorted(notes, key=str)),
        imports={path: module.imports for path, module in sorted(modules.items()) if module.imports},
    )


def _content(file: RawFile, modules: dict[str, Compiled], interpreter: Interpreter) -> bytes:
    """What a file holds in the product. Python runs bytecode from a file of any name, `runpy` and -m too."""
    if not file.bytecode or file.path not in modules:
        return file.data
    header = interpreter.magic + _UNCHECKED
    return header.ljust(_PYC_HEADER, b"\0") + modules[file.path].code


def _modules(
    files: list[RawFile], home: str, compiler: _Compiler
) -> tuple[Interpreter, dict[str, Compiled], list[Note]]:
    """Compile what can be imported; return it by path, and notes about what can't."""
    sources = [file for file in files if file.script or _importable(file.path, home, ".py")]
    interpreter, results = compiler([(f"{APP_ROOT}/{file.path}", file.data) for file in sources])
    modules = {}
    notes = []
    for file, result in zip(sources, results, strict=True):
        if result.problem is None:
            modules[file.path] = result
        else:
            why = f"kept as a file, for this Python can't compile it: {result.problem.message}"
            notes.append(Note(file.path, why, result.problem.line))
    have_source = {file.path for file in sources}
    for file in files:
        if not _importable(file.path, home, ".pyc") or file.path[:-1] in have_source:
            continue
        if file.data[:4] == interpreter.magic:
            modules[file.path] = Compiled(file.data[_PYC_HEADER:])
        else:
            notes.append(Note(file.path, "bytecode of another Python; it can't be imported"))
    return interpreter, modules, notes


def _pattern_table(modules: Iterable[Compiled], home: str, writer: BlobWriter) -> list[Node]:
    """The node of a layer's regular expressions; its name says its content, so that layers do not collide."""
    patterns = [pattern for module in modules for pattern in module.patterns]
    if not patterns:
        return []
    table = encode_patterns(patterns)
    return [Node(f"{home}/{FOLDER}/{xxhash.xxh64_hexdigest(table)}", None, writer.raw(table))]


def _importable(path: str, home: str, ending: str) -> bool:
    """Whether an import statement, `importlib` or `-m` could name this file."""
    folder, _, name = path.rpartition("/")
    inside = folder == home or folder.startswith(f"{home}/")
    plain = "." not in folder.removeprefix(home) and "." not in name.removesuffix(ending)
    return name.endswith(ending) and inside and plain


def _native(file: RawFile, notes: list[Note]) -> NativeLib | None:
    if not is_elf(file.data):
        return None
    try:
        header = read_header(file.data)
        if header.type not in ("shared", "executable"):
            return None
        if header.machine != _ARCHITECTURE:
            notes.append(
                Note(file.path, f"native code for {header.machine}; it can't run on {_ARCHITECTURE}")
            )
            return None
        return native_lib(file.data)
    except ElfError as error:
        notes.append(Note(file.path, f"looks like a native library but is not well-formed: {error}"))
        return None


def _path_lines(files: Iterable[RawFile], packages: str) -> tuple[str, ...]:
    """Lines of `.pth` files directly in site-packages, as `site` would read them."""
    lines: list[str] = []
    for file in files:
        if re.fullmatch(rf"{re.escape(packages)}/[^./][^/]*\.pth", file.path):
            text = file.data.decode("utf-8-sig", "surrogateescape")
            lines += (line.rstrip() for line in text.splitlines())
    return tuple(line for line in lines if line.strip() and not line.startswith("#"))
