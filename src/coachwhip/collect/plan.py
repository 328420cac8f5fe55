"""Layers -> a bundle: what is excluded goes, what is there twice is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from coachwhip.collect.filters import matches, matches_any, relative_path
from coachwhip.model import Bundle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from coachwhip.config import Config
    from coachwhip.model import Distribution, EntryPoint, Layer, Node

__all__ = ["BundlePlan", "Parts", "plan_bundle"]


@dataclass(frozen=True)
class Parts:
    """The layers of a bundle.

    Attributes:
        entry: the app's own start code.
        wheels: its distributions, the app's own among them.
        stdlib: the standard library.
    """

    entry: Layer
    wheels: tuple[Layer, ...]
    stdlib: Layer


@dataclass(frozen=True)
class BundlePlan:
    """A bundle, and what the user should know about it."""

    bundle: Bundle
    warnings: tuple[str, ...]


def plan_bundle(app: Distribution, entry: EntryPoint, parts: Parts, config: Config) -> BundlePlan:
    """Put layers together.

    The order is: start code, the app's own distribution, the others by name, the standard library. Where
    two have the same path the first one wins, with a warning when their content differs.

    Args:
        app: name and version of the app's own distribution.
        entry: what runs.
        parts: all layers.
        config: what is excluded and included, whether sources are kept, how the product behaves.
    """
    others = sorted(
        parts.wheels, key=lambda layer: (layer.distribution.name != app.name, layer.distribution.name)
    )
    content = [*others, parts.stdlib]
    warnings = list(_unused_patterns(content, config))
    claims = _Claims()
    # The start code is never filtered: without it nothing runs, and `multiprocessing` runs its file again.
    layers = [replace(parts.entry, nodes=tuple(claims.take(parts.entry.distribution, parts.entry.nodes)))]
    for layer in content:
        wanted = [node for node in layer.nodes if not _excluded(node.path, config)]
        nodes = list(claims.take(layer.distribution, wanted))
        if not config.sources:
            nodes = [node if node.code is None else replace(node, data=None) for node in nodes]
        layers.append(replace(layer, nodes=tuple(nodes)))
    return BundlePlan(
        Bundle(entry.name, app.version, entry, config.target, tuple(layers), config.settings),
        tuple(warnings + claims.warnings),
    )


def _excluded(path: str, config: Config) -> bool:
    relative = relative_path(path)
    return matches_any(config.exclude, relative) and not matches_any(config.include, relative)


def _unused_patterns(layers: Sequence[Layer], config: Config) -> Iterator[str]:
    paths = [relative_path(node.path) for layer in layers for node in layer.nodes]
    # With `prune`, `include` also names built-in modules, which are no files.
    include = () if config.prune else config.include
    for key, patterns in (("exclude", config.exclude), ("include", include)):
        for pattern in patterns:
            if not any(matches(pattern, path) for path in paths):
                yield f"{key}: the pattern {pattern!r} matches nothing"


class _Claims:
    """Who has which path; the first one keeps it."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[Distribution, Node]] = {}
        self._folders: dict[str, Distribution] = {}
        self.warnings: list[str] = []

    def take(self, distribution: Distribution, nodes: Iterable[Node]) -> Iterator[Node]:
        """Yield the nodes whose paths are free, and claim them."""
        for node in nodes:
            if self._is_free(node, distribution):
                self._owners[node.path] = distribution, node
                for folder in _folders(node.path):
                    self._folders.setdefault(folder, distribution)
                yield node

    def _is_free(self, node: Node, distribution: Distribution) -> bool:
        owner = self._owners.get(node.path)
        if owner is not None:
            if not _same(owner[1], node):
                self._warn(node.path, "is in", owner[0], distribution)
            return False
        if node.path in self._folders:
            self._warn(node.path, "is a directory in", self._folders[node.path], distribution)
            return False
        for folder in _folders(node.path):
            if folder in self._owners:
                self._warn(folder, "is a file in", self._owners[folder][0], distribution)
                return False
        return True

    def _warn(self, path: str, verb: str, winner: Distribution, loser: Distribution) -> None:
        self.warnings.append(
            f"{relative_path(path)} {verb} {winner.name} {winner.version}, "
            f"and otherwise in {loser.name} {loser.version}: the first one is used"
        )


def _folders(path: str) -> Iterator[str]:
    folder = path.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]


def _same(one: Node, other: Node) -> bool:
    return (one.data and (one.data.raw, one.data.checksum)) == (
        other.data and (other.data.raw, other.data.checksum)
    )
