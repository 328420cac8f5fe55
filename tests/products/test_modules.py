"""pkgutil and runpy: what lists modules and what runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.products.building import Product

pytestmark = pytest.mark.product

SITE = "/__app__/lib/python3.13/site-packages"


def test_iter_modules(probe: Product) -> None:
    code = """
        import json, pkgutil, probe, spread
        found = {module.name: module.ispkg for module in pkgutil.iter_modules()}
        print(json.dumps([
            [[module.name, module.ispkg] for module in pkgutil.iter_modules(probe.__path__, "probe.")],
            [module.name for module in pkgutil.iter_modules(spread.__path__)],
            [found["probe"], found["override_me"], found["json"], found["antigravity"], "spread" in found],
        ]))
    """
    assert probe.value(code) == [
        [
            ["probe.__main__", False],
            ["probe._native", False],
            ["probe.cli", False],
            ["probe.inner", True],
            ["probe.latin", False],
            ["probe.work", False],
        ],
        ["one", "two"],
        [True, False, True, False, False],
    ]


def test_walk_packages(probe: Product) -> None:
    code = """
        import json, pkgutil, probe
        print(json.dumps([module.name for module in pkgutil.walk_packages(probe.__path__, "probe.")]))
    """
    names = ["__main__", "_native", "cli", "inner", "inner.leaf", "latin", "work"]
    assert probe.value(code) == [f"probe.{name}" for name in names]


def test_the_library_is_listed_as_ever(probe: Product, plain: Product) -> None:
    code = """
        import json, os, pkgutil
        names = {module.name for module in pkgutil.iter_modules([os.path.dirname(os.__file__)])}
        print(json.dumps(sorted(names)))
    """
    here = set(probe.value(code))
    there = set(plain.value("-c", code))
    left_out = {"ensurepip", "idlelib", "tkinter", "turtle", "turtledemo"}
    assert there - here == left_out & there
    assert {name for name in here - there if not name.startswith("_coachwhip_")} == set()


def test_resolve_name_and_importers(probe: Product) -> None:
    code = """
        import pkgutil, probe.work
        print(pkgutil.resolve_name("probe.work:Thing.double").__qualname__)
        importer = pkgutil.get_importer(probe.__path__[0])
        print(importer.find_spec("work").origin, pkgutil.get_importer("/nowhere/at/all"))
    """
    assert probe.output(code) == f"Thing.double\n{SITE}/probe/work.py None\n"


def test_run_module_and_run_path(probe: Product, tmp_path: Path) -> None:
    script = tmp_path / "outside.py"
    script.write_text("import override_me\nname = __name__, __file__, override_me.where\n")
    code = f"""
        import runpy
        runpy.run_module("probe", run_name="run")
        print(runpy.run_path({str(script)!r}, run_name="r")["name"])
        print(runpy.run_path("{SITE}/override_me.py")["where"])
        print(runpy.run_module("probe.work")["__spec__"].origin)
    """
    assert probe.output(code) == (
        f"probe as run []\n('r', {str(script)!r}, 'inside')\ninside\n{SITE}/probe/work.py\n"
    )


@pytest.mark.parametrize(
    "arguments", [("-m", "probe", "a", "-b"), ("-Wd", "-m", "probe.__main__", "a", "-b")]
)
def test_dash_m(probe: Product, arguments: tuple[str, ...]) -> None:
    done = probe.python(*arguments)
    assert (done.stdout, done.stderr) == ("probe as __main__ ['a', '-b']\n", "")


def test_dash_m_with_programs_of_the_library(probe: Product) -> None:
    assert probe.python("-m", "json.tool", "--compact", input='{"a": [1, 2]}').stdout == '{"a":[1,2]}\n'
    assert "usage: python3.13 -m unittest" in probe.python("-m", "unittest", "--help").stdout
    assert "1 loop" in probe.python("-m", "timeit", "-n1", "-r1", "pass").stdout


def test_dash_m_without_such_a_module(probe: Product) -> None:
    done = probe.python("-m", "no_such_module")
    assert done.returncode == 1
    assert done.stderr == "/__app__/bin/python3.13: No module named no_such_module\n"
