"""What import statements and importlib find inside a product."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.products.building import Product

pytestmark = pytest.mark.product

LIBRARY = "/__app__/lib/python3.13"
SITE = f"{LIBRARY}/site-packages"


def test_attributes_of_a_package_and_a_module(probe: Product) -> None:
    code = """
        import importlib.machinery, json, probe, probe.work
        for module in probe, probe.work:
            spec = module.__spec__
            assert isinstance(spec, importlib.machinery.ModuleSpec)
            assert isinstance(spec.loader, importlib.machinery.SourceFileLoader)
            assert module.__loader__ is spec.loader
            assert spec.has_location and spec.origin == module.__file__ and spec.cached == module.__cached__
        spec = probe.__spec__
        print(json.dumps([
            probe.__file__, list(probe.__path__), probe.__cached__, probe.__package__, probe.__doc__,
            probe.work.__file__, hasattr(probe.work, "__path__"), probe.work.__package__, spec.parent,
            spec.submodule_search_locations, repr(probe),
        ]))
    """
    assert probe.value(code) == [
        f"{SITE}/probe/__init__.py",
        [f"{SITE}/probe"],
        f"{SITE}/probe/__pycache__/__init__.cpython-313.pyc",
        "probe",
        "A package.",
        f"{SITE}/probe/work.py",
        False,
        "probe",
        "probe",
        [f"{SITE}/probe"],
        f"<module 'probe' from '{SITE}/probe/__init__.py'>",
    ]


def test_an_extension_module_in_a_package(probe: Product) -> None:
    code = """
        import importlib.machinery, json
        from probe import _native
        assert isinstance(_native.__loader__, importlib.machinery.ExtensionFileLoader)
        print(json.dumps([_native.answer(), _native.__file__, _native.__name__, _native.__package__]))
    """
    file = f"{SITE}/probe/_native.cpython-313-x86_64-linux-gnu.so"
    assert probe.value(code) == [42, file, "probe._native", "probe"]


def test_a_namespace_package_of_two_distributions(probe: Product) -> None:
    code = """
        import json, spread, spread.two
        print(json.dumps([spread.two.number, list(spread.__path__), type(spread.__path__).__name__,
            spread.__file__, spread.__spec__.origin]))
    """
    assert probe.value(code) == [2, [f"{SITE}/spread"], "_NamespacePath", None, None]


def test_lines_of_pth_files(probe: Product) -> None:
    code = """
        import sys, json, found_by_path_line
        print(json.dumps([sys.path[-1], found_by_path_line.__file__, hasattr(sys, "by_import_line")]))
    """
    added = f"{SITE}/by_path_line"
    assert probe.value(code) == [added, f"{added}/found_by_path_line.py", True]


def test_the_search_path(probe: Product) -> None:
    path = probe.value("import json, sys; print(json.dumps(sys.path))")
    assert path == [LIBRARY, SITE, f"{SITE}/by_path_line"]


def test_find_spec(probe: Product) -> None:
    code = """
        import importlib.util, json
        names = "probe", "probe.work", "probe.__main__", "os", "sys", "no_such", "probe.nothing", "spread"
        specs = [importlib.util.find_spec(name) for name in names]
        print(json.dumps([spec and spec.origin for spec in specs]))
    """
    found = probe.value(code)
    assert found[:3] == [f"{SITE}/probe/__init__.py", f"{SITE}/probe/work.py", f"{SITE}/probe/__main__.py"]
    assert found[3] in ("frozen", f"{LIBRARY}/os.py")
    assert found[4:] == ["built-in", None, None, None]


def test_what_is_missing_is_an_import_error_like_any_other(probe: Product, plain: Product) -> None:
    code = """
        import json
        found = []
        for wrong in "import nothing.at.all", "import json.no", "from json import no", "import os.no":
            try:
                exec(wrong)
            except ImportError as error:
                found.append([type(error).__name__, error.name, str(error).replace(json.__path__[0], "json")])
        print(json.dumps(found))
    """
    assert probe.value(code) == plain.value("-c", code.replace("\n        ", "\n"))


def test_a_module_with_a_syntax_error(probe: Product) -> None:
    done = probe.run("import unfinished")
    assert done.returncode == 1
    assert f'File "{SITE}/unfinished.py", line 1\n    def broken(:\n' in done.stderr
    assert done.stderr.splitlines()[-1] == "SyntaxError: invalid syntax"


def test_reload_runs_a_module_again(probe: Product) -> None:
    code = """
        import importlib, probe
        assert importlib.reload(probe) is probe
        print(probe.loads)
    """
    assert probe.output(code) == "2\n"


def test_a_lazy_loader(probe: Product) -> None:
    code = """
        import importlib.util, sys
        spec = importlib.util.find_spec("probe.latin")
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules["probe.latin"] = module
        spec.loader.exec_module(module)
        print("name" in object.__getattribute__(module, "__dict__"))
        print(ascii(module.name))
    """
    assert probe.output(code) == "False\n'\\xe9'\n"


def test_a_module_by_path(probe: Product) -> None:
    code = f"""
        import importlib.util
        spec = importlib.util.spec_from_file_location("again", "{SITE}/override_me.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        print(module.where, module.__file__)
    """
    assert probe.output(code) == f"inside {SITE}/override_me.py\n"


def test_outside_directories_come_first_where_the_app_puts_them_first(probe: Product, tmp_path: Path) -> None:
    (tmp_path / "override_me.py").write_text("where = 'outside'\n")
    code = """
        import sys
        sys.path.{how}
        import override_me
        print(override_me.where)
    """
    first = code.format(how=f"insert(0, {str(tmp_path)!r})")
    last = code.format(how=f"append({str(tmp_path)!r})")
    assert (probe.output(first), probe.output(last)) == ("outside\n", "inside\n")


def test_outside_directories_extend_packages(probe: Product, tmp_path: Path) -> None:
    for name in ("spread/three.py", "extended/outside.py", "probe/plugins/more.py", "probe_plugin.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"name = {name!r}\n")
    (tmp_path / "extended" / "__init__.py").write_text("")
    code = f"""
        import sys
        import spread.one
        sys.path.append({str(tmp_path)!r})
        import spread.three, extended.inside, extended.outside, probe_plugin, probe.inner
        probe.inner.__path__.append({str(tmp_path / "probe" / "plugins")!r})
        import probe.inner.more, probe.inner.leaf
        print(spread.three.name, extended.outside.name, probe_plugin.name, probe.inner.more.name)
    """
    expected = "spread/three.py extended/outside.py probe_plugin.py probe/plugins/more.py\n"
    assert probe.output(code) == expected


def test_a_built_in_module_comes_before_one_of_that_name(probe: Product) -> None:
    code = "import math; print(math.floor(2.5), math.__spec__.origin)"
    assert probe.output(code) == "2 built-in\n"


def test_a_module_that_appears_while_the_program_runs(probe: Product, tmp_path: Path) -> None:
    code = f"""
        import importlib, pathlib, sys
        sys.path.insert(0, {str(tmp_path)!r})
        assert importlib.util.find_spec("made_now") is None
        pathlib.Path({str(tmp_path)!r}, "made_now.py").write_text("x = 1")
        importlib.invalidate_caches()
        import made_now
        print(made_now.x)
    """
    assert probe.output(code.replace("import importlib,", "import importlib.util,")) == "1\n"


def test_modules_in_an_outside_zip_file(probe: Product, tmp_path: Path) -> None:
    archive = tmp_path / "plugins.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped/__init__.py", "def fail():\n    raise ValueError('zipped')\n")
        file.writestr("zipped/data.txt", "in the zip")
    code = f"""
        import sys, traceback
        sys.path.append({str(archive)!r})
        import zipped, importlib.resources, pkgutil
        print(type(zipped.__loader__).__name__, pkgutil.get_data("zipped", "data.txt"))
        print((importlib.resources.files("zipped") / "data.txt").read_text())
        try:
            zipped.fail()
        except ValueError:
            print("raise ValueError('zipped')" in traceback.format_exc())
    """
    assert probe.output(code) == "zipimporter b'in the zip'\nin the zip\nTrue\n"


def test_pickles_refer_to_modules_by_name(probe: Product) -> None:
    code = """
        import pickle, subprocess, sys
        from probe.work import Thing, square
        data = pickle.dumps((Thing(21), square, Thing.double))
        child = "import pickle, sys; t, s, d = pickle.load(sys.stdin.buffer); print(d(t).value, s(3))"
        print(subprocess.run([sys.executable, "-c", child], input=data, capture_output=True).stdout.decode())
    """
    assert probe.output(code) == "42 9\n\n"


def test_every_module_of_the_plain_library_is_there(probe: Product, plain: Product) -> None:
    code = """
        import importlib.util, json, sys
        absent = [name for name in sys.stdlib_module_names if importlib.util.find_spec(name) is None]
        print(json.dumps(sorted(absent)))
    """
    left_out = {"idlelib", "tkinter", "turtle", "turtledemo", "ensurepip"}
    assert set(probe.value(code)) - set(plain.value("-c", code.replace("\n        ", "\n"))) == left_out
