"""Which libraries of a runtime go into a product."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coachwhip.collect import Options
from coachwhip.effects.cache import Cache
from coachwhip.model import Bundle, Distribution, EntryPoint, Layer, NativeLib, Node, Target
from coachwhip.pipeline import carried
from coachwhip.pipeline.carried import with_carried
from tests.unit.runtime.conftest import make_runtime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from coachwhip.collect import RawFile
    from coachwhip.runtime import Runtime

FLOORS = {"libz.so.1": (2, 17), "libnew.so.1": (2, 18)}


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    made = make_runtime(tmp_path / "runtime", recipe="0" * 16)
    (made.root / "lib" / "carried" / "libnew.so.1").write_text("newer")
    return replace(made, carried=("lib/carried/libz.so.1", "lib/carried/libnew.so.1"))


@pytest.fixture(autouse=True)
def _layers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Libraries that are what their names say; the runtime's have no content."""

    def collect_files(files: Sequence[RawFile], distribution: Distribution, *_: object) -> Layer:
        nodes = []
        for file in files:
            name = file.path.rpartition("/")[2]
            library = NativeLib(name, ("libc.so.6",), (), FLOORS[name], "f", offers=("V_1",))
            nodes.append(Node(file.path, None, native=library))
        return Layer(distribution, tuple(nodes), tmp_path / hashlib.sha256(b"").hexdigest())

    monkeypatch.setattr(carried, "collect_files", collect_files)


def bundle(tmp_path: Path, *needed: str, firm: bool = False, glibc: tuple[int, int] = (2, 5)) -> Bundle:
    node = Node("site/a.so", None, native=NativeLib("", needed, (), glibc, "f"))
    layer = Layer(Distribution("a", "1"), (node,), tmp_path / "a")
    return Bundle("app", "1", EntryPoint("app"), Target((3, 13), firm=firm), (layer,))


def carry(given: Bundle, runtime: Runtime, tmp_path: Path) -> tuple[list[str], tuple[int, int]]:
    found = with_carried(given, runtime, Options(), Cache(tmp_path / "cache"))
    paths = [node.path for layer in found.layers for node in layer.nodes]
    assert paths.pop() == "site/a.so"
    return paths, found.target.glibc


def test_only_what_is_needed_is_carried(runtime: Runtime, tmp_path: Path) -> None:
    assert carry(bundle(tmp_path, "libc.so.6", "libX11.so.6"), runtime, tmp_path) == ([], (2, 17))
    assert carry(bundle(tmp_path, "libz.so.1"), runtime, tmp_path) == (["lib/coachwhip/libz.so.1"], (2, 17))


def test_a_carried_library_raises_the_glibc_unless_that_is_firm(runtime: Runtime, tmp_path: Path) -> None:
    needed = ("libz.so.1", "libnew.so.1")
    both = ["lib/coachwhip/libz.so.1", "lib/coachwhip/libnew.so.1"]
    assert carry(bundle(tmp_path, *needed), runtime, tmp_path) == (both, (2, 18))
    assert carry(bundle(tmp_path, *needed, firm=True), runtime, tmp_path) == (both[:1], (2, 17))


def test_the_glibc_is_what_the_libraries_need(runtime: Runtime, tmp_path: Path) -> None:
    assert carry(bundle(tmp_path, glibc=(2, 30)), runtime, tmp_path) == ([], (2, 30))
