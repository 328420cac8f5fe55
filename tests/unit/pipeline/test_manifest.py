"""What a product will tell about itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from coachwhip.model import (
    Blob,
    Bundle,
    Compression,
    Distribution,
    EntryPoint,
    Layer,
    NativeLib,
    Node,
    Target,
)
from coachwhip.pipeline.manifest import manifest_of


def blob(stored: int, raw: int) -> Blob:
    return Blob(0, stored, raw, Compression.ZSTD, 0)


def layer(name: str, *nodes: Node, wheel: str = "", tags: str = "") -> Layer:
    return Layer(Distribution(name, "1.0", wheel, tags), nodes, Path("blobs"))


def bundle(entry: EntryPoint, *layers: Layer) -> Bundle:
    return Bundle("app", "1.0", entry, Target((3, 13)), layers)


ENTRY = EntryPoint("app", "app.cli", "main")


def test_layers_of_one_distribution_are_one_record() -> None:
    start = layer("app", Node("bin/app", blob(10, 20), blob(30, 30)))
    wheel = layer("app", Node("a.py", blob(100, 200), blob(300, 300)), wheel="ab", tags="py3-none-any")
    manifest = manifest_of(
        bundle(ENTRY, start, wheel), python_version="3.13.5", recipe="r", stub_glibc=(2, 17)
    )
    (record,) = manifest.distributions
    assert (record.name, record.wheel, record.tags) == ("app", "ab", "py3-none-any")
    assert (record.files, record.stored, record.raw) == (2, 440, 220)


def test_native_libraries_set_the_floor() -> None:
    node = Node("lib/x.so", blob(5, 9), native=NativeLib("", (), (), (2, 28), "fcntl64"))
    plain = Node("lib/y.so", blob(5, 9), native=NativeLib("", (), (), (0, 0), ""))
    manifest = manifest_of(
        bundle(ENTRY, layer("x", node, plain)), python_version="3.13.5", recipe="r", stub_glibc=(2, 17)
    )
    assert [(native.path, native.glibc) for native in manifest.natives] == [
        ("lib/x.so", "2.28"),
        ("lib/y.so", ""),
    ]
    assert manifest.floor() == ("2.28", "lib/x.so")


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (ENTRY, "app.cli:main"),
        (EntryPoint("app", "app"), "app"),
        (EntryPoint("tool", source=b"print()"), "script"),
    ],
)
def test_entry_is_said_as_it_was_given(entry: EntryPoint, text: str) -> None:
    manifest = manifest_of(bundle(entry), python_version="3.13.5", recipe="r", stub_glibc=(2, 17))
    assert manifest.entry == text


def test_sources_that_were_dropped_take_no_place() -> None:
    manifest = manifest_of(
        bundle(ENTRY, layer("x", Node("a.py", None, blob(7, 7)))),
        python_version="3.13.5",
        recipe="r",
        stub_glibc=(2, 17),
    )
    assert (manifest.distributions[0].stored, manifest.distributions[0].raw) == (7, 0)
