"""The layer of libraries that a product carries for machines that lack them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import coachwhip
from coachwhip.collect import RawFile, collect_files
from coachwhip.effects.source import read_bytes
from coachwhip.image import CARRIED, carried_libraries, outside_libraries
from coachwhip.model import Distribution

if TYPE_CHECKING:
    from coachwhip.collect import Options
    from coachwhip.effects.cache import Cache
    from coachwhip.model import Bundle, Layer, Target
    from coachwhip.runtime import Runtime

__all__ = ["with_carried"]


def with_carried(bundle: Bundle, runtime: Runtime, options: Options, cache: Cache) -> Bundle:
    """Return the bundle with those of the runtime's shared libraries that something in it needs.

    Args:
        bundle: as planned. Where its target is firm, what needs a newer glibc is left to the machine.
        runtime: has the libraries.
        options: how layers are made.
        cache: where layers are.

    Raises:
        BuildError: the runtime's interpreter does not work.
        MachineError: the disk is full or the like.
    """
    nodes = {node.path: node for layer in bundle.layers for node in layer.nodes}
    paths = {path.name: path for path in runtime.carried_libraries}
    if not paths.keys() & outside_libraries(nodes):
        return _raised(bundle)
    files = [RawFile(f"{CARRIED}/{name}", read_bytes(path)) for name, path in paths.items()]
    whole = collect_files(files, Distribution("coachwhip", coachwhip.__version__), runtime, options, cache)
    layer = _needed(_admitted(whole, bundle.target), bundle)
    # First, lest a wheel's file of the same path be taken for one of them.
    return _raised(replace(bundle, layers=(layer, *bundle.layers)))


def _raised(bundle: Bundle) -> Bundle:
    """Return the bundle with the glibc that its libraries really need."""
    floors = (node.native.glibc for layer in bundle.layers for node in layer.nodes if node.native)
    return replace(bundle, target=replace(bundle.target, glibc=max([bundle.target.glibc, *floors])))


def _admitted(layer: Layer, target: Target) -> Layer:
    if not target.firm:
        return layer
    kept = (node for node in layer.nodes if node.native and node.native.glibc <= target.glibc)
    return replace(layer, nodes=tuple(kept))


def _needed(layer: Layer, bundle: Bundle) -> Layer:
    nodes = {node.path: node for part in (*bundle.layers, layer) for node in part.nodes}
    needed = carried_libraries(nodes)
    return replace(layer, nodes=tuple(node for node in layer.nodes if node.path in needed))
