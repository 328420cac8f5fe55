"""`prune = true`: what a bundle's files tell about the extension modules that must be linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

from coachwhip.collect.filters import matches, relative_path
from coachwhip.collect.prune import CONSOLE, mentioned_names, needed_builtins
from coachwhip.collect.store import STDLIB, layer_imports
from coachwhip.effects.source import read_range
from coachwhip.model import Compression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coachwhip.config import Config
    from coachwhip.model import Bundle, Layer

__all__ = ["linked_builtins"]

#: In every native file that imports Python modules, as a symbol that it needs.
_IMPORTS = b"PyImport_"


def linked_builtins(bundle: Bundle, builtins: Iterable[str], config: Config) -> frozenset[str]:
    """Return the names of the built-in modules that a stub for this bundle must have.

    Args:
        bundle: as planned.
        builtins: names of all built-in modules of the runtime.
        config: `include` names modules that are wanted although nothing seems to import them.

    Raises:
        MachineError: the cached layers can't be read.
    """
    known = set(builtins)
    stdlib: dict[str, tuple[str, ...]] = {}
    roots: set[str] = set(CONSOLE if config.interpreter else ())
    for layer in bundle.layers:
        imports = _imports(layer)
        if layer.distribution.name == STDLIB and not layer.distribution.wheel:
            stdlib |= imports
        else:
            roots.update(name for names in imports.values() for name in names)
    names = known | {relative_path(path).rpartition(".")[0].replace("/", ".") for path in stdlib}
    for layer in bundle.layers:
        for native in _native_code(layer):
            roots.update(mentioned_names(native, names))
    roots |= {name for name in names for item in config.include if matches(item, name.replace(".", "/"))}
    return needed_builtins(stdlib, roots, known)


def _imports(layer: Layer) -> dict[str, tuple[str, ...]]:
    """Imports of those modules of a layer that are still in it; none is empty for modules that have none."""
    imports = layer_imports(layer)
    return {node.path: imports.get(node.path, ()) for node in layer.nodes if node.code is not None}


def _native_code(layer: Layer) -> Iterator[bytes]:
    """Yield the content of native files that import Python modules."""
    for node in layer.nodes:
        if node.native is None or node.data is None:
            continue
        content = read_range(layer.blobs, node.data.offset, node.data.stored)
        if node.data.compression is Compression.ZSTD:
            content = zstandard.ZstdDecompressor().decompress(content)
        if _IMPORTS in content:
            yield content
