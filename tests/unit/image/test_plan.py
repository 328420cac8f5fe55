from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coachwhip.image import plan_image
from coachwhip.image.format import NodeFlag, NodeKind
from coachwhip.image.natives import dependency_closures, outside_libraries
from coachwhip.model import Node
from tests.unit.image.samples import LayerBuilder, bundle, native, small_layer

if TYPE_CHECKING:
    from pathlib import Path


def test_children_are_contiguous_and_sorted(tmp_path: Path) -> None:
    plan = plan_image(bundle(small_layer(tmp_path)), "bin/sample")
    for number, node in enumerate(plan.nodes):
        below = plan.nodes[node.first_child : node.first_child + node.child_count]
        assert all(child.parent == number for child in below)
        assert [child.path for child in below] == sorted(child.path for child in below)
    assert sum(node.child_count for node in plan.nodes) == len(plan.nodes) - 1
    assert plan.nodes[0].path == ""
    assert plan.nodes[plan.entry].path == "bin/sample"


def test_code_lies_before_data(tmp_path: Path) -> None:
    plan = plan_image(bundle(small_layer(tmp_path)), "bin/sample")
    last_code = max(node.code.offset for node in plan.nodes if node.code)
    first_data = min(node.data.offset for node in plan.nodes if node.data)
    assert last_code < first_data


def test_first_layer_wins_where_paths_collide(tmp_path: Path) -> None:
    first = LayerBuilder("a", tmp_path / "a").add("bin/x", b"first", code=b"1").layer()
    second = LayerBuilder("b", tmp_path / "b").add("bin/x", b"second", code=b"2").layer()
    plan = plan_image(bundle(first, second), "bin/x")
    node = plan.nodes[plan.entry]
    assert node.data is not None
    assert node.data.source == tmp_path / "a"


def test_sourceless_module_has_code_only(tmp_path: Path) -> None:
    plan = plan_image(bundle(small_layer(tmp_path)), "bin/sample")
    bare = next(node for node in plan.nodes if node.path.endswith("bare.py"))
    assert bare.kind is NodeKind.FILE
    assert bare.flags == NodeFlag.HAS_CODE


def test_a_path_can_not_be_file_and_directory(tmp_path: Path) -> None:
    layer = LayerBuilder("a", tmp_path / "a").add("bin", b"", code=b"").add("bin/x", b"", code=b"").layer()
    with pytest.raises(ValueError, match="'bin' is a file and a directory"):
        plan_image(bundle(layer), "bin/x")


def test_the_entry_must_have_code(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a module"):
        plan_image(bundle(small_layer(tmp_path)), "lib/python3.13/pkg/data.txt")


def test_native_closure_follows_origin_and_puts_dependencies_first() -> None:
    libs = {
        "site/pkg/a.so": native("libb.so", runpath=("$ORIGIN/../pkg.libs",)),
        "site/pkg.libs/libb.so": native("libc2.so", "libc.so.6", runpath=("$ORIGIN",)),
        "site/pkg.libs/libc2.so": native("libb.so", runpath=("${ORIGIN}",)),
        "site/other/libb.so": native(),
    }
    nodes = {path: Node(path, None, native=lib) for path, lib in libs.items()}
    closures = dependency_closures(nodes)
    assert closures["site/pkg/a.so"] == ("site/pkg.libs/libc2.so", "site/pkg.libs/libb.so")
    assert "site/other/libb.so" not in closures


def test_libraries_of_the_machine_are_those_that_are_neither_packaged_nor_glibcs() -> None:
    libs = {
        "site/a.so": native("libstdc++.so.6", "libc.so.6", "libb.so.1", "libpreloaded.so"),
        "site/libb-1234.so": native("libz.so.1", "libm.so.6", soname="libb.so.1"),
        "site/vendor/libpreloaded.so": native("libz.so.1"),
    }
    nodes = {path: Node(path, None, native=lib) for path, lib in libs.items()}
    assert outside_libraries(nodes) == {"libstdc++.so.6": "site/a.so", "libz.so.1": "site/libb-1234.so"}
