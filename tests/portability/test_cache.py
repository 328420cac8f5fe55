"""The directory of unpacked files under everything that can happen to it, with a real product.

`tests/stub` has the same for each function of the stub; here the whole of it is shown to work together.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.portability.circumstances import CIRCUMSTANCES, HOME
from tests.portability.examples import MYAPP
from tests.portability.machine import NOBODY, Machine, Mount, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.product

#: Where the machine has what keeps native libraries from being mapped.
OCCUPY = "/opt/occupy.so"


def start(product: Path, cache: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a product, which has to unpack the native libraries that it needs."""
    preloaded = product.with_name("occupy.so")
    return subprocess.Popen(
        [product, *arguments],
        env={"COACHWHIP_CACHE_DIR": str(cache)}
        | ({"LD_PRELOAD": str(preloaded)} if preloaded.exists() else {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> Outcome:
    output, errors = process.communicate(timeout=300)
    return Outcome(process.returncode, output, errors)


def test_a_hundred_processes_start_from_an_empty_cache(products: Path, tmp_path: Path) -> None:
    processes = [start(products / "myapp", tmp_path / "cache", "run") for _ in range(100)]
    assert {end(process) for process in processes} == {Outcome(0, MYAPP.output, "")}
    (directory,) = (tmp_path / "cache").iterdir()
    assert not list((directory / ".tmp").iterdir())


def test_killed_at_any_moment_nothing_half_written_is_used(products: Path, tmp_path: Path) -> None:
    for step in range(12):
        cache = tmp_path / f"cache-{step}"
        process = start(products / "myapp", cache, "run")
        time.sleep(0.04 + 0.012 * step)
        process.send_signal(signal.SIGKILL)
        end(process)
        assert end(start(products / "myapp", cache, "run")) == Outcome(0, MYAPP.output, "")
        (directory,) = cache.iterdir()
        assert not list((directory / ".tmp").iterdir())


#: Opens itself by its path as a library would, waits for a line, then opens a file not needed before.
READER = """
import ctypes, os, sys

def size(path):
    return os.fstat(ctypes.CDLL(None).open(os.fsencode(path), os.O_RDONLY)).st_size

print(VERSION, size(__file__), flush=True)
if sys.argv[1:] == ["wait"]:
    input()
    print(size(os.__file__) > 1000)
"""


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two versions of one app that opens files by their paths."""
    folder = tmp_path_factory.mktemp("versions")
    for version in ("one", "two"):
        (folder / version).mkdir()
        (folder / version / "reader.py").write_text(READER.replace("VERSION", repr(version), 1))
        command = [sys.executable, "-m", "coachwhip", "build", "reader.py", "-o", "reader"]
        subprocess.run(command, cwd=folder / version, check=True, capture_output=True)
    return folder / "one" / "reader", folder / "two" / "reader"


def directories(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()}


def age(cache: Path, *, days: float) -> None:
    then = time.time() - days * 86400
    for mark in cache.glob("*/.used"):
        os.utime(mark, (then, then))


def test_two_versions_of_one_app(versions: tuple[Path, Path], tmp_path: Path) -> None:
    for name, product in zip(("one", "two", "one"), (*versions, versions[0]), strict=True):
        assert end(start(product, tmp_path)).output.split()[0] == name
    assert len(directories(tmp_path)) == 2


@pytest.mark.parametrize("by_command", [False, True], ids=["by another product", "by coachwhip cache prune"])
def test_nothing_is_pruned_while_it_is_used(
    versions: tuple[Path, Path], tmp_path: Path, *, by_command: bool
) -> None:
    old, new = versions

    def prune() -> None:
        if by_command:
            command = [sys.executable, "-m", "coachwhip", "cache", "prune"]
            variables = os.environ | {"COACHWHIP_CACHE_DIR": str(tmp_path)}
            subprocess.run(command, env=variables, check=True, capture_output=True)
        else:
            assert end(start(new, tmp_path)).code == 0

    running = start(old, tmp_path, "wait")
    assert running.stdout is not None
    assert running.stdout.readline().startswith("one ")
    (kept,) = directories(tmp_path)
    age(tmp_path, days=400)
    prune()
    assert kept in directories(tmp_path)
    output, errors = running.communicate("\n", timeout=60)
    assert (running.returncode, output, errors) == (0, "True\n", "")

    for other in directories(tmp_path) - {kept}:
        subprocess.run(["rm", "-r", tmp_path / other], check=True)
    age(tmp_path, days=400)
    prune()
    assert kept not in directories(tmp_path)


def test_the_cache_is_removed_while_it_is_used(versions: tuple[Path, Path], tmp_path: Path) -> None:
    running = start(versions[0], tmp_path, "wait")
    assert running.stdout is not None
    running.stdout.readline()
    subprocess.run(["rm", "-r", *tmp_path.iterdir()], check=True)
    output, errors = running.communicate("\n", timeout=60)
    assert (running.returncode, output, errors) == (0, "True\n", "")


ATTACKS: Mapping[str, tuple[str, ...]] = {
    "a link": ("ln", "-s", "/opt/evil"),
    "a directory of somebody else": ("install", "-d", "-o", "12345", "-m", "755"),
    "a directory open to all": ("install", "-d", "-o", str(NOBODY), "-m", "777"),
    "a file": ("touch",),
}


@pytest.mark.root
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_others_have_put_into_shared_places(
    machine: Machine, products: Path, tmp_path: Path, attack: str
) -> None:
    """Nothing is written there or loaded from there; another place is taken."""
    shared, fallback, evil = (tmp_path / name for name in ("shared", "fallback", "evil"))
    for folder in (shared, fallback, evil):
        folder.mkdir()
        folder.chmod(0o1777)
    subprocess.run([*ATTACKS[attack], shared / f"coachwhip-{NOBODY}"], check=True)
    for name in ("myapp", "occupy.so"):
        (tmp_path / name).hardlink_to(products / name)
    tmp_path.chmod(0o755)
    binds = (Mount("bind", "/var/tmp", str(shared)), Mount("bind", "/tmp", str(fallback)))
    circumstances = replace(
        machine.circumstances,
        mounts=(Mount("proc", "/proc"), *binds),
        environment={"PATH": "/bin", "LD_PRELOAD": OCCUPY},
    )
    outcome = replace(machine, products=tmp_path, circumstances=circumstances).run(*MYAPP.command)
    assert outcome == Outcome(0, MYAPP.output, "")
    assert [path.name for path in fallback.iterdir()] == [f"coachwhip-{NOBODY}"]
    assert list(evil.iterdir()) == []
    assert len(list(shared.rglob("*"))) == 1


@pytest.mark.root
@pytest.mark.parametrize("name", ["noexec everywhere", "everything read-only"])
def test_libraries_come_from_memory_where_files_cant_be_executed(machine: Machine, name: str) -> None:
    circumstances = replace(
        CIRCUMSTANCES[name], environment=HOME | {"COACHWHIP_INTERPRETER": "1", "LD_PRELOAD": OCCUPY}
    )
    code = "import psycopg2._psycopg as p; print(p.__file__); print(open('/proc/self/maps').read())"
    outcome = machine.having(circumstances).run("myapp", "-c", code)
    path, _, maps = outcome.output.partition("\n")
    assert path.startswith("/__app__/lib/python3.13/site-packages/psycopg2/_psycopg.")
    assert "memfd:_psycopg." in maps
    assert "memfd:libpq-" in maps
