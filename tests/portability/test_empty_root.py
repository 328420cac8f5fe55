"""Where there is nothing: no /proc, no /tmp, no /etc/passwd, no shell, only glibc's files and the product."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.portability.examples import EXAMPLES, HELLO, MYAPP, SCI, Example
from tests.portability.machine import Circumstances, Machine, Mount, Outcome
from tests.portability.roots import empty

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.product, pytest.mark.root]

BARE = Circumstances(mounts=(), environment={})


@pytest.fixture
def bare(empty_root: Path, products: Path) -> Machine:
    return Machine(empty_root, products, BARE)


def test_hello_needs_nothing_at_all(bare: Machine) -> None:
    assert bare.run(*HELLO.command) == Outcome(0, HELLO.output, "")


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_one_writable_folder_is_enough(bare: Machine, example: Example) -> None:
    circumstances = replace(
        BARE, mounts=(Mount("tmpfs", "/cache"),), environment={"COACHWHIP_CACHE_DIR": "/cache"}
    )
    assert bare.having(circumstances).run(*example.command) == Outcome(0, example.output, "")


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_proc_is_enough(bare: Machine, example: Example) -> None:
    circumstances = replace(BARE, mounts=(Mount("proc", "/proc"),))
    assert bare.having(circumstances).run(*example.command) == Outcome(0, example.output, "")


def test_without_either_native_libraries_say_why(bare: Machine) -> None:
    outcome = bare.run("myapp", "run")
    assert (outcome.code, outcome.output) == (1, "")
    assert "no directory can hold this program's unpacked files" in outcome.errors
    assert "set COACHWHIP_CACHE_DIR to one that can" in outcome.errors
    assert outcome.errors.endswith("to load it from memory, /proc has to be mounted\n")


@pytest.mark.parametrize(("example", "missing"), [(MYAPP, "libz.so.1"), (SCI, "libstdc++.so.6")])
def test_what_is_missing_in_the_system_is_named(
    bullseye: Path, products: Path, tmp_path: Path, example: Example, missing: str
) -> None:
    """With glibc alone: wheels may expect a few more libraries of every Linux."""
    for name in ("opt", "cache"):
        (tmp_path / name).mkdir()
    tmp_path.chmod(0o755)
    mounts, environment = (Mount("tmpfs", "/cache"),), {"COACHWHIP_CACHE_DIR": "/cache"}
    circumstances = replace(BARE, mounts=mounts, environment=environment)
    machine = Machine(empty(tmp_path, bullseye), products, circumstances)
    assert machine.run(*HELLO.command) == Outcome(0, HELLO.output, "")
    outcome = machine.run(*example.command)
    assert outcome.code == 1
    assert f"{missing}: cannot open shared object file: No such file or directory\n" in outcome.errors
