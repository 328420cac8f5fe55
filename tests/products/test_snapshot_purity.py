"""What differs from machine to machine, user to user and start to start never comes out of a snapshot."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

import pytest

from tests.products.building import build, environment, make_wheel
from tests.products.extensions import SUFFIX, WHEEL_TAG, compile_extension
from tests.products.purity import EFFECTS, IMPURE, PURE, SINGLE
from tests.products.subjects import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.effects.cache import Cache
    from coachwhip.runtime import Runtime

pytestmark = pytest.mark.product

_CLI = """\
import sys


def main():
    import importlib

    if sys.argv[1:] == ["--help"]:
        for name in NAMES:
            try:
                importlib.import_module(f"app.{name}")
            except BaseException:
                pass
    elif sys.argv[1] == "baked":
        print(sorted(name[4:] for name in sys.modules if name.startswith("app.")))
    else:
        print(repr(importlib.import_module(f"app.{sys.argv[1]}").V))
"""

#: Whose value is the same at two starts in the same surroundings.
STEADY = (
    *(
        "argv",
        "argv2",
        "argv3",
        "argv4",
        "argv5",
        "cwd",
        "cwd2",
        "cwd3",
        "cwd4",
        "home",
        "home2",
        "host",
        "fromdot",
    ),
    *(
        "isatty",
        "isatty2",
        "isatty3",
        "viafn",
        "lazyimp",
        "implib",
        "tryimp",
        "star",
        "deflt",
        "cls",
        "lruc",
        "uid",
    ),
    *(
        "tzname",
        "tzone",
        "local",
        "fromts",
        "mktime",
        "astz",
        "strftime",
        "dtz",
        "envb",
        "envin",
        "exp",
        "filex",
    ),
    *(
        "filerel",
        "rlim",
        "loc",
        "loc3",
        "loc4",
        "stdoutenc",
        "term",
        "tmpd",
        "which",
        "seeded",
        "posixm",
        "getattr_os",
        "prio",
    ),
    *(name for name in PURE if name not in ("ev", "pure1")),
)


@pytest.fixture(scope="session")
def app(folder: Path, runtime: Runtime, cache: Cache) -> Subject:
    """A console script that shows what one of many modules has seen."""
    source = folder / "purity" / "single.c"
    source.parent.mkdir()
    source.write_text(SINGLE)
    native = compile_extension(runtime, cache, [source], source.with_name(f"single{SUFFIX}"))
    modules = {**IMPURE, **PURE, **EFFECTS}
    files: dict[str, str | bytes] = {f"app/{name}.py": f"{text}\n" for name, text in modules.items()}
    files["app/__init__.py"] = ""
    files[f"app/{native.name}"] = native.read_bytes()
    names = [*sorted(modules), "single"]
    files["app/cli.py"] = f"from app import always\nNAMES = {names}\n{_CLI}"
    files["app/always.py"] = "import atexit\nfrom app import always_too\natexit.register(print, end='')\n"
    files["app/always_too.py"] = "import sys\nsys.setrecursionlimit(2000)\n"
    scripts = "[console_scripts]\napp = app.cli:main\n"
    wheel = make_wheel(folder / "purity", "app", "1.0", files, entry_points=scripts, tag=WHEEL_TAG)
    return Subject(build(wheel, output=folder / "purity" / "app"))


@pytest.fixture(scope="session")
def baked(app: Subject) -> set[str]:
    """Names of the modules in its snapshot."""
    return set(ast.literal_eval(app.snapshot("baked").stdout))


@pytest.mark.parametrize("name", sorted(IMPURE))
def test_modules_that_look_around_are_not_in_the_snapshot(baked: set[str], name: str) -> None:
    assert name not in baked


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_are(baked: set[str], name: str) -> None:
    assert name in baked


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_modules_with_effects_are_only_if_every_run_imports_them(
    app: Subject, baked: set[str], name: str
) -> None:
    assert name not in baked
    assert {"always", "always_too"} <= baked
    app.same(name)


def test_what_a_native_module_does_when_it_is_made_is_seen(
    app: Subject, baked: set[str], tmp_path: Path
) -> None:
    assert {"single", "aside"}.isdisjoint(baked)
    app.same("single", env=environment(HOME=str(tmp_path)))


@pytest.mark.parametrize("name", STEADY)
def test_values_are_those_of_this_start(app: Subject, name: str, tmp_path: Path) -> None:
    app.same(name)
    app.same(
        name, "--debug", "x", cwd=tmp_path, env=environment(HOME=str(tmp_path), TZ="Asia/Tokyo", LC_ALL="C")
    )


@pytest.mark.parametrize(
    "name", ["now", "rnd", "rndinst", "secrets_", "uuid_", "sslr", "choice", "shuf", "pid", "mono"]
)
def test_values_that_differ_from_start_to_start_do(app: Subject, name: str) -> None:
    assert app.snapshot(name).stdout != app.snapshot(name).stdout


@pytest.mark.parametrize(
    ("name", "printed"),
    [("printer", "printed at import\n1\n"), ("thread", "[1]\n"), ("pool", "1\n"), ("sem", "True\n")],
)
def test_what_an_import_does_is_done(app: Subject, name: str, printed: str) -> None:
    assert app.output(name) == printed


@pytest.mark.parametrize(("variable", "module"), [("MYVAR", "getenv"), ("MYVAR", "getenvb")])
def test_a_variable_that_is_a_gate(app: Subject, variable: str, module: str) -> None:
    reason = "started without a snapshot: a variable in the environment matters to one of its modules"
    for value in ("1", ""):
        outcome = app.any_start(module, env=environment(**{variable: value}))
        assert outcome.reason == reason
        assert outcome.stdout.strip("b\n") == repr(value)
    assert app.snapshot(module).stdout == "None\n"


def test_nothing_of_the_building_machine_is_in_the_file(app: Subject) -> None:
    data = app.path.read_bytes()
    for word in (os.environ.get("HOME", ""), str(app.path.parent), os.uname().nodename):
        if len(word) > 4:
            assert word.encode() not in data
