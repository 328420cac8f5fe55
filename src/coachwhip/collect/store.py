"""Layers in the cache: made once, then loaded.

An entry is a directory: `index.json` (the layer), `blobs.bin` (its bytes) and `imports.json` (what its
modules may import, read only when the standard library is pruned).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import zstandard

from coachwhip.collect.build import build_layer
from coachwhip.collect.entry import entry_path, entry_script
from coachwhip.collect.index import FORMAT, decode_layer, decode_notes, encode_layer
from coachwhip.collect.model import RawFile
from coachwhip.collect.stdlib import read_stdlib
from coachwhip.collect.wheel import read_wheel
from coachwhip.effects.files import atomic_directory, remove_tree, translated_os_errors
from coachwhip.effects.source import read_bytes
from coachwhip.model import Distribution

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from coachwhip.collect.model import Note, Options, PythonRuntime
    from coachwhip.effects.cache import Cache
    from coachwhip.model import EntryPoint, Layer, Wheel

__all__ = [
    "STDLIB",
    "collect_entry",
    "collect_files",
    "collect_stdlib",
    "collect_wheel",
    "layer_imports",
    "layer_notes",
]

#: Name of the standard library as a distribution.
STDLIB = "python"

#: Changes when layers of the same input would come out different.
_TOOLS = {"format": FORMAT, "zstd": list(zstandard.ZSTD_VERSION)}


@dataclass(frozen=True)
class _Origin:
    """What a layer is made of: `identity` says all of it, `read` gets it."""

    distribution: Distribution
    identity: Mapping[str, object]
    read: Callable[[], tuple[Sequence[RawFile], Sequence[Note]]]


def collect_wheel(wheel: Wheel, runtime: PythonRuntime, options: Options, cache: Cache) -> Layer:
    """Return the layer of a wheel, from the cache or made now.

    Raises:
        InputError, BuildError: the wheel is damaged.
        MachineError: the disk is full or the like.
    """
    origin = _Origin(
        Distribution(wheel.name, wheel.version, wheel.sha256, wheel.tags),
        {"wheel": wheel.sha256},
        lambda: read_wheel(wheel, runtime.python_version),
    )
    return _cached(origin, runtime, options, cache)


def collect_stdlib(runtime: PythonRuntime, options: Options, cache: Cache) -> Layer:
    """Return the layer of the standard library, from the cache or made now.

    Raises:
        BuildError: the runtime's interpreter does not work.
        MachineError: the disk is full or the like.
    """
    origin = _Origin(
        Distribution(STDLIB, runtime.python_version),
        {"stdlib": runtime.python_version, "include": sorted(options.include)},
        lambda: (read_stdlib(runtime, options.include), ()),
    )
    return _cached(origin, runtime, options, cache)


def collect_entry(  # noqa: PLR0913  (one more than the others by keyword)
    entry: EntryPoint,
    distribution: Distribution,
    runtime: PythonRuntime,
    options: Options,
    cache: Cache,
    *,
    sources: bool = True,
) -> Layer:
    """Return the layer of the app's own start code: the one file `bin/NAME`, see `entry_script`.

    Args:
        entry: what runs.
        distribution: whose the layer is said to be.
        runtime: compiles the script.
        options: how.
        cache: where layers are.
        sources: whether the text of the user's own script is kept. Its file stays in any case, as
            `multiprocessing` runs it again.

    Raises:
        BuildError: the runtime's interpreter does not work.
        MachineError: the disk is full or the like.
    """
    text = entry_script(entry, runtime.python_version)
    bytecode = entry.source is not None and not sources
    script = RawFile(entry_path(entry), text, executable=True, script=True, bytecode=bytecode)
    return collect_files([script], distribution, runtime, options, cache)


def collect_files(
    files: Sequence[RawFile],
    distribution: Distribution,
    runtime: PythonRuntime,
    options: Options,
    cache: Cache,
) -> Layer:
    """Return the layer of a few files that are at hand.

    Args:
        files: with their paths below the product's root.
        distribution: whose the layer is said to be.
        runtime: compiles what can be imported.
        options: how.
        cache: where layers are.

    Raises:
        BuildError: the runtime's interpreter does not work.
        MachineError: the disk is full or the like.
    """
    identity = [
        [f.path, hashlib.sha256(f.data).hexdigest(), f.executable, f.script, f.bytecode] for f in files
    ]
    origin = _Origin(distribution, {"files": identity}, lambda: (files, ()))
    return _cached(origin, runtime, options, cache)


def layer_notes(layer: Layer) -> tuple[Note, ...]:
    """Return what the build report says about the files of a layer.

    Raises:
        MachineError: the cache entry is gone.
    """
    return decode_notes(read_bytes(layer.blobs.with_name("index.json")))


def layer_imports(layer: Layer) -> dict[str, tuple[str, ...]]:
    """Return the names that each module of a layer may import from the standard library, by path.

    Raises:
        MachineError: the cache entry is gone.
    """
    document = json.loads(read_bytes(layer.blobs.with_name("imports.json")))
    return {path: tuple(names) for path, names in document.items()}


def _cached(origin: _Origin, runtime: PythonRuntime, options: Options, cache: Cache) -> Layer:
    made_with = {"recipe": runtime.recipe, "optimize": options.optimize, **_TOOLS}
    key = hashlib.sha256(json.dumps([origin.identity, made_with], sort_keys=True).encode()).hexdigest()
    entry = cache.area("layers") / key
    if (layer := _load(entry, origin.distribution)) is not None:
        return layer
    with cache.lock(f"layer-{key}"):
        # Another process may have made it while this one waited.
        if (layer := _load(entry, origin.distribution)) is not None:
            return layer
        files, notes = origin.read()
        with translated_os_errors("write to the cache"):
            remove_tree(entry)
            with atomic_directory(entry) as folder:
                built = build_layer(files, runtime, options, folder / "blobs.bin")
                index = encode_layer(built, notes)
                (folder / "imports.json").write_text(json.dumps(built.imports, separators=(",", ":")))
                (folder / "index.json").write_bytes(index)
    return decode_layer(index, origin.distribution, entry / "blobs.bin")[0]


def _load(entry: Path, distribution: Distribution) -> Layer | None:
    """Load an entry and mark it as used; None when there is none, or it is damaged."""
    try:
        text = (entry / "index.json").read_bytes()
        layer, size = decode_layer(text, distribution, entry / "blobs.bin")
        if (entry / "blobs.bin").stat().st_size != size:
            return None
        os.utime(entry)
    except (OSError, ValueError):
        return None
    return layer
