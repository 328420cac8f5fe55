"""importlib.metadata inside a product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.products.building import Product

pytestmark = pytest.mark.product

SITE = "/__app__/lib/python3.13/site-packages"


def test_versions_and_texts(probe: Product) -> None:
    code = """
        import json
        from importlib import metadata
        own = metadata.distribution("probe")
        print(json.dumps([
            metadata.version("probe"), metadata.version("Spread.Two"), metadata.metadata("probe")["Summary"],
            metadata.requires("probe"), own.read_text("entry_points.txt")[:17], own.read_text("nothing"),
            own.name, own.metadata.json["name"],
        ]))
    """
    assert probe.value(code) == [
        *("1.0", "2.0", "All kinds of things", ["spread-two>=2"], "[console_scripts]", None, "probe", "probe")
    ]


def test_files(probe: Product) -> None:
    code = """
        import json
        from importlib import metadata
        files = {str(path): path for path in metadata.files("probe")}
        hello = files["probe/data/hello.txt"]
        located = metadata.distribution("probe").locate_file("probe/data/hello.txt")
        missing = [name for name, path in files.items() if not path.locate().exists()]
        places = str(hello.locate()), str(located)
        print(json.dumps([hello.read_text(), *places, hello.size, hello.hash.mode, missing]))
    """
    place = f"{SITE}/probe/data/hello.txt"
    assert probe.value(code) == ["hello\n", place, place, 6, "sha256", []]


def test_entry_points_of_several_distributions(probe: Product) -> None:
    code = """
        import json
        from importlib import metadata
        plugins = metadata.entry_points(group="probe.plugins")
        (script,) = metadata.entry_points(group="console_scripts", name="probe")
        print(json.dumps([
            sorted((point.name, point.value, point.dist.name) for point in plugins),
            plugins["square"].load()(5), plugins["two"].load(), script.module, script.attr,
        ]))
    """
    points = [["square", "probe.work:square", "probe"], ["two", "spread.two:number", "spread-two"]]
    assert probe.value(code) == [points, 25, 2, "probe.cli", "main"]


def test_which_packages_are_of_which_distribution(probe: Product) -> None:
    code = """
        import json
        from importlib import metadata
        found = metadata.packages_distributions()
        print(json.dumps([sorted(found["spread"]), found["probe"], found["override_me"],
            sorted(dist.name for dist in metadata.distributions())]))
    """
    expected = [["probe", "spread-two"], ["probe"], ["probe"], ["lines-of-pth", "probe", "spread-two"]]
    assert probe.value(code) == expected


def test_what_is_not_installed(probe: Product) -> None:
    code = """
        from importlib import metadata
        try:
            metadata.version("nothing")
        except metadata.PackageNotFoundError as error:
            print(error, error.name)
        print(list(metadata.entry_points(group="nothing")))
    """
    assert probe.output(code) == "No package metadata was found for nothing nothing\n[]\n"


def test_distributions_outside(probe: Product, tmp_path: Path) -> None:
    info = tmp_path / "plugin-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 9\n")
    (info / "entry_points.txt").write_text("[probe.plugins]\nnine = plugin:nine\n")
    (tmp_path / "plugin.py").write_text("nine = 9\n")
    code = f"""
        import sys
        from importlib import metadata
        sys.path.append({str(tmp_path)!r})
        print(metadata.version("plugin"), metadata.entry_points(group="probe.plugins")["nine"].load())
        print(len(metadata.entry_points(group="probe.plugins")))
    """
    assert probe.output(code) == "9 9\n3\n"
