"""Sandboxes of others, and products that run with more rights than their caller."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.portability.examples import EXAMPLES, MYAPP, Example
from tests.portability.machine import Machine, Mount, Outcome
from tests.portability.roots import need_program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.product, pytest.mark.root]

OWNER = 1234


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_bubblewrap(bullseye: Path, products: Path, example: Example) -> None:
    """No /sys, no network, a new session, every namespace its own, no capability."""
    sandbox = [need_program("bwrap", "bubblewrap"), "--unshare-all", "--clearenv", "--new-session"]
    places = [
        "--ro-bind",
        str(bullseye),
        "/",
        "--ro-bind",
        str(products),
        "/opt",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
    ]
    limits = ["--cap-drop", "ALL", "--die-with-parent"]
    command = [*sandbox, *places, *limits, f"/opt/{example}", *example.command[1:]]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert Outcome(done.returncode, done.stdout, done.stderr) == Outcome(0, example.output, "")


@pytest.fixture
def setuid(machine: Machine, products: Path, tmp_path: Path) -> Machine:
    """A machine where `myapp` and `hello` are setuid."""
    tmp_path.chmod(0o755)
    for name in ("myapp", "hello"):
        shutil.copy(products / name, tmp_path / name)
        shutil.chown(tmp_path / name, OWNER, OWNER)
        (tmp_path / name).chmod(0o4755)
    return replace(machine, products=tmp_path)


def with_environment(machine: Machine, **variables: str) -> Machine:
    return machine.having(replace(machine.circumstances, environment={"HOME": "/home", **variables}))


def test_the_caller_of_a_setuid_product_does_not_choose_its_cache(setuid: Machine, tmp_path: Path) -> None:
    """Else the caller could put libraries there that then run with the owner's rights."""
    folders = {name: tmp_path / "folders" / name for name in ("home", "tmp", "var/tmp")}
    for folder in folders.values():
        folder.mkdir(parents=True)
        folder.chmod(0o1777)
    mounts = (
        Mount("proc", "/proc"),
        *(Mount("bind", f"/{name}", str(path)) for name, path in folders.items()),
    )
    variables = {"COACHWHIP_CACHE_DIR": "/tmp/chosen", "XDG_CACHE_HOME": "/tmp/chosen", "HOME": "/home"}
    circumstances = replace(setuid.circumstances, mounts=mounts, environment=variables)
    assert setuid.having(circumstances).run(*MYAPP.command) == Outcome(0, MYAPP.output, "")
    assert [len(list(folder.iterdir())) for folder in folders.values()] == [0, 0, 0]


def test_a_setuid_product_is_no_interpreter_for_its_caller(setuid: Machine) -> None:
    """Whatever the caller sets or calls it: that would be a shell with the owner's rights."""
    code = ("-c", "import os; print(os.geteuid())")
    asked = with_environment(setuid, COACHWHIP_INTERPRETER="1").run("hello", *code)
    assert str(OWNER) not in asked.output
    for name in ("python3", "/__app__/bin/python3.13"):
        outcome = setuid.run("hello", *code, argv0=name)
        assert str(OWNER) not in outcome.output
