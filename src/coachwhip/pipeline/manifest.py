"""Bundle -> the manifest of its image. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import coachwhip
from coachwhip.image import Manifest, outside_libraries
from coachwhip.image.manifest import DistributionRecord, NativeRecord, SystemRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coachwhip.model import Bundle, EntryPoint, Layer, Node
    from coachwhip.prelink import Prelinked

__all__ = ["manifest_of"]


def manifest_of(
    bundle: Bundle,
    *,
    python_version: str,
    recipe: str,
    stub_glibc: tuple[int, int],
    prelinked: Prelinked | None = None,
) -> Manifest:
    """Return what `coachwhip inspect` will tell about a product.

    Args:
        bundle: what goes in.
        prelinked: its libraries that are mapped from the image.
        python_version: full version of the interpreter.
        recipe: hash of the runtime's recipe.
        stub_glibc: the newest glibc that the stub needs.
    """
    sizes = _Sizes(prelinked)
    return Manifest(
        builder=coachwhip.__version__,
        app=bundle.name,
        version=bundle.version,
        entry=_entry(bundle.entry),
        target=str(bundle.target),
        python=python_version,
        runtime=recipe,
        stub_glibc=_dotted(stub_glibc),
        distributions=tuple(_distributions(bundle, sizes)),
        natives=tuple(_natives(bundle, sizes)),
        system=tuple(SystemRecord(name, path) for name, path in _outside(bundle).items()),
    )


def _entry(entry: EntryPoint) -> str:
    if entry.source is not None:
        return "script"
    return f"{entry.module}:{entry.attribute}" if entry.attribute else entry.module


class _Sizes:
    """What files take in an image, and where in memory those are that are mapped from it."""

    def __init__(self, prelinked: Prelinked | None) -> None:
        self.mapped = prelinked.mapped() if prelinked else {}
        self.bases = {one.path: one.base for one in prelinked.libraries} if prelinked else {}
        self._originals = prelinked.originals if prelinked else {}

    def data(self, node: Node) -> int:
        """Bytes that a file's content takes, those that it is mapped from among them."""
        if node.path in self._originals:
            return len(self._originals[node.path][0]) + self.mapped[node.path]
        return node.data.stored if node.data else 0

    def all(self, node: Node) -> int:
        """The same with its bytecode."""
        return self.data(node) + (node.code.stored if node.code else 0)


def _distributions(bundle: Bundle, sizes: _Sizes) -> Iterator[DistributionRecord]:
    """Yield a record for each distribution; layers of the same one are added up."""
    layers: dict[tuple[str, str], list[Layer]] = {}
    for layer in bundle.layers:
        layers.setdefault((layer.distribution.name, layer.distribution.version), []).append(layer)
    for (name, version), parts in layers.items():
        nodes = [node for part in parts for node in part.nodes]
        yield DistributionRecord(
            name=name,
            version=version,
            wheel=next((part.distribution.wheel for part in parts if part.distribution.wheel), ""),
            tags=next((part.distribution.tags for part in parts if part.distribution.tags), ""),
            files=len(nodes),
            stored=sum(map(sizes.all, nodes)),
            raw=sum(node.data.raw for node in nodes if node.data is not None),
        )


def _natives(bundle: Bundle, sizes: _Sizes) -> Iterator[NativeRecord]:
    for layer in bundle.layers:
        for node in layer.nodes:
            if node.native is not None and node.data is not None:
                glibc = _dotted(node.native.glibc) if any(node.native.glibc) else ""
                yield NativeRecord(
                    node.path,
                    glibc,
                    node.native.glibc_symbol,
                    sizes.data(node),
                    node.data.raw,
                    sizes.mapped.get(node.path, 0),
                    sizes.bases.get(node.path, 0),
                )


def _outside(bundle: Bundle) -> dict[str, str]:
    return outside_libraries({node.path: node for layer in bundle.layers for node in layer.nodes})


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
