"""CPython's own tests of the import system, run inside a product that starts from a snapshot."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from coachwhip.errors import CoachwhipError
from tests.products.building import environment
from tests.products.cpython_product import cpython_product
from tests.products.extensions import cpython_test_modules
from tests.products.subjects import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.effects.cache import Cache
    from coachwhip.runtime import Runtime

pytestmark = pytest.mark.product

#: Tests that fail, with the reason in docs/reference/differences.md.
DIFFERENT = {
    "test_import": {"test_isolated_config", "test_python_compat"},
}


@pytest.fixture(scope="session")
def cpython(runtime: Runtime, cache: Cache, folder: Path) -> Path:
    """`python -m test` as a product, with CPython's test suite and its extension modules."""
    try:
        modules = cpython_test_modules(runtime, cache, folder)
    except CoachwhipError as error:
        pytest.skip(f"CPython's source is not to be had: {error.message}")
    return cpython_product(modules, folder)


def test_the_standard_library_is_in_its_snapshot(cpython: Path) -> None:
    outcome = Subject(cpython).snapshot("--help")
    assert (outcome.status, outcome.stderr) == (0, "")


@pytest.mark.parametrize(
    "name",
    [
        *("test_importlib", "test_import", "test_inspect", "test_pkgutil", "test_runpy", "test_zipimport"),
        *("test_frozen", "test_linecache", "test_traceback", "test_atexit", "test_re", "test_warnings"),
    ],
)
def test_cpython_passes_its_tests_inside_a_product(cpython: Path, tmp_path: Path, name: str) -> None:
    command: list[str | Path] = [cpython, "--verbose", "--timeout=300", "--tempdir", tmp_path, name]
    done = subprocess.run(
        command,
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    failed = set(re.findall(r"^(?:ERROR|FAIL): (\w+)", done.stdout, re.MULTILINE))
    assert failed == DIFFERENT.get(name, set()), done.stdout[-5000:] + done.stderr
    assert re.search(r"^Total tests: run=(?!0\b)", done.stdout, re.MULTILINE), (
        done.stdout[-5000:] + done.stderr
    )
    assert done.returncode == (2 if failed else 0)
