"""Statements that look at the machine are executed at the start, as if the module had been imported then."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.products.building import build, environment, make_wheel
from tests.products.subjects import FROM_SNAPSHOT, Subject
from tests.products.waiting import STAYS, WAITS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product

_CLI = """\
import importlib
import sys


def main():
    baked = sorted(name[4:] for name in sys.modules if name.startswith("app."))
    for name in NAMES:
        importlib.import_module(f"app.{name}")
    if sys.argv[1:] == ["baked"]:
        print(baked)
    elif sys.argv[1] in NAMES:
        found = sys.modules[f"app.{sys.argv[1]}"]
        print(repr(found.v() if hasattr(found, "v") else found.V))
        print(sorted((name, value) for name, value in vars(found).items() if type(value) in (int, str, list)))
        print(found.__spec__.loader is found.__loader__, type(found.__loader__).__name__)
"""


@pytest.fixture(scope="session")
def app(folder: Path) -> Subject:
    """A console script that imports all modules in every run, and shows what one of them has."""
    modules = {**WAITS, **STAYS}
    files: dict[str, str | bytes] = {f"app/{name}.py": f"{text}\n" for name, text in modules.items()}
    files["app/__init__.py"] = ""
    files["app/registry.py"] = "ALL = []\nregister = ALL.append\n"
    files["app/cli.py"] = f"NAMES = {sorted(modules)}\n{_CLI}"
    wheel = make_wheel(
        folder / "waiting", "app", "1.0", files, entry_points="[console_scripts]\napp = app.cli:main\n"
    )
    return Subject(build(wheel, output=folder / "waiting" / "app"))


@pytest.fixture(scope="session")
def baked(app: Subject) -> set[str]:
    """Names of the modules in its snapshot."""
    return set(ast.literal_eval(app.snapshot("baked").stdout))


@pytest.mark.parametrize("name", sorted({**WAITS, **STAYS}))
def test_values_are_those_of_this_start(app: Subject, name: str, tmp_path: Path) -> None:
    app.same(name)
    done = app.same(name, cwd=tmp_path, env=environment(HOME=str(tmp_path / "home")))
    assert (done.status, done.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(WAITS))
def test_all_but_some_statements_is_in_the_snapshot(baked: set[str], name: str) -> None:
    assert name in baked


@pytest.mark.parametrize("name", sorted(STAYS))
def test_other_modules_are_not(baked: set[str], name: str) -> None:
    assert name not in baked


def test_a_statement_that_fails_fails_as_ever(folder: Path) -> None:
    text = "import os\nV = os.path.expanduser('~'), open(os.environ.get('NEEDED', os.devnull)).read()\n"
    files: dict[str, str | bytes] = {
        "failing/__init__.py": "",
        "failing/part.py": text,
        "failing/cli.py": "from failing import part\n\n\ndef main():\n    print(part.V)\n",
    }
    wheel = make_wheel(
        folder / "failing",
        "failing",
        "1",
        files,
        entry_points="[console_scripts]\nfailing = failing.cli:main\n",
    )
    subject = Subject(build(wheel, output=folder / "failing" / "app"))
    assert subject.same().status == 0
    variables = environment(NEEDED="/nonexistent/file")
    here = subject.any_start(env=variables)
    there = subject.ordinary(env=variables)
    assert here.reason == FROM_SNAPSHOT  # at first
    assert (here.status, here.stdout) == (there.status, there.stdout) == (1, "")
    assert "part.py" in there.stderr
    assert here.stderr.endswith(there.stderr)
