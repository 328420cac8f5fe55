from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coachwhip.image import plan_image
from coachwhip.image.format import NodeFlag, NodeKind
from coachwhip.image.natives import carried_libraries, dependency_closures, outside_libraries
from coachwhip.model import Node
from tests.unit.image.samples import LayerBuilder, bundle, native, small_layer

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.model import NativeLib


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


CARRIED = {
    "lib/coachwhip/libgcc_s.so.1": native("libc.so.6", soname="libgcc_s.so.1"),
    "lib/coachwhip/libstdc++.so.6": replace(
        native("libm.so.6", "libgcc_s.so.1", soname="libstdc++.so.6"),
        offers=("GLIBCXX_3.4", "GLIBCXX_3.4.28"),
    ),
    "lib/coachwhip/libz.so.1": native(soname="libz.so.1"),
}


def nodes_of(libs: dict[str, NativeLib]) -> dict[str, Node]:
    return {path: Node(path, None, native=lib) for path, lib in {**libs, **CARRIED}.items()}


def test_what_nothing_packages_is_carried_with_what_it_needs_itself() -> None:
    nodes = nodes_of(
        {"site/a.so": native("libb.so", runpath=("$ORIGIN",)), "site/libb.so": native("libstdc++.so.6")}
    )
    gcc, cxx, _ = CARRIED
    assert dependency_closures(nodes)["site/a.so"] == (gcc, cxx, "site/libb.so")
    assert carried_libraries(nodes) == {gcc, cxx}
    assert outside_libraries(nodes) == {}


def test_a_packaged_library_comes_before_a_carried_one() -> None:
    nodes = nodes_of({"site/a.so": native("libz.so.1"), "site/vendor/libz-1.so": native(soname="libz.so.1")})
    assert carried_libraries(nodes) == frozenset()
    assert dependency_closures(nodes).keys() == {"lib/coachwhip/libstdc++.so.6"}
    assert outside_libraries(nodes) == {}


def test_a_library_that_wants_newer_symbols_is_left_to_the_machine() -> None:
    cxx = native("libstdc++.so.6")
    content = replace(cxx, versions=(("libstdc++.so.6", "GLIBCXX_3.4.28"), ("libz.so.1", "ZLIB_9")))
    wants_more = replace(cxx, versions=(("libstdc++.so.6", "GLIBCXX_3.4.30"),))
    nodes = nodes_of({"site/a.so": content, "site/b.so": wants_more})
    closures = dependency_closures(nodes)
    assert "lib/coachwhip/libstdc++.so.6" in closures["site/a.so"]
    assert "site/b.so" not in closures
    assert outside_libraries(nodes) == {"libstdc++.so.6": "site/b.so"}


def test_a_program_is_left_to_the_machine_for_its_loader_does_not_know_us() -> None:
    nodes = nodes_of({"bin/tool": replace(native("libz.so.1"), program=True)})
    assert carried_libraries(nodes) == frozenset()
    assert outside_libraries(nodes) == {"libz.so.1": "bin/tool"}
