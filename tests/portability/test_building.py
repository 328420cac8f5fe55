"""Building where the machine is in the way: no network, full disks, interruptions at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coachwhip.errors import ExitCode
from tests.portability.roots import need_root

pytestmark = pytest.mark.product

COMMAND = (sys.executable, "-m", "coachwhip")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text("import json\nprint(json.dumps([1, 2]))\n")
    return tmp_path


def coachwhip(
    folder: Path, *arguments: str, prefix: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, *COMMAND, *arguments],
        cwd=folder,
        env=os.environ | variables,
        check=False,
        capture_output=True,
        text=True,
    )


def with_areas(cache: Path, *areas: str) -> Path:
    """A cache that has nothing but some areas of the user's."""
    done = subprocess.run([*COMMAND, "cache", "dir"], check=True, capture_output=True, text=True)
    cache.mkdir(exist_ok=True)
    for area in areas:
        (cache / area).symlink_to(Path(done.stdout.strip()) / area)
    return cache


@pytest.mark.root
def test_no_network(folder: Path) -> None:
    need_root()
    places = {"UV_CACHE_DIR": str(folder / "uv"), "UV_HTTP_RETRIES": "0"}
    alone = ("unshare", "--net")
    done = coachwhip(folder, "build", "app.py", "--with", "sampleproject", prefix=alone, **places)
    assert done.returncode == ExitCode.NETWORK
    assert "can't be reached" in done.stderr
    assert "hint: check the network" in done.stderr
    assert not (folder / "dist").exists()
    # What needs nothing from the network is built without it.
    assert coachwhip(folder, "build", "app.py", prefix=alone, **places).returncode == 0


def test_a_wheel_for_another_platform(folder: Path) -> None:
    done = coachwhip(folder, "build", "app.py", "--with", "pywin32")
    assert done.returncode == ExitCode.RESOLUTION
    assert "`win_amd64`" in done.stderr
    assert "manylinux_2_40_x86_64" in done.stderr


@pytest.mark.network
def test_another_hash_than_the_requirements_allow(folder: Path) -> None:
    (folder / "requirements.txt").write_text(f"click==8.1.8 --hash=sha256:{'0' * 64}\n")
    done = coachwhip(folder, "build", "app.py", "-r", "requirements.txt")
    assert done.returncode == ExitCode.RESOLUTION
    assert (
        "click-8.1.8-py3-none-any.whl is none of the files whose hashes the requirements allow" in done.stderr
    )


@pytest.mark.root
def test_a_full_disk_below_the_cache(folder: Path) -> None:
    """The message names the disk; with room, the same cache serves."""
    need_root()
    small = folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small], check=True)
    try:
        cache = str(with_areas(small, "runtimes", "stubs", "zig"))
        done = coachwhip(folder, "build", "app.py", COACHWHIP_CACHE_DIR=cache)
        assert done.returncode == ExitCode.ENVIRONMENT
        assert "No space left on device" in done.stderr
        assert "hint: free some space" in done.stderr
        assert not (folder / "dist").exists()
        subprocess.run(["mount", "-o", "remount,size=1g", small], check=True)
        done = coachwhip(folder, "build", "app.py", COACHWHIP_CACHE_DIR=cache)
        assert done.returncode == 0, done.stderr
        assert (
            subprocess.run([folder / "dist" / "app"], capture_output=True, check=True).stdout == b"[1, 2]\n"
        )
    finally:
        subprocess.run(["umount", small], check=True)


def descendants(folder: Path) -> list[str]:
    """Command lines of processes that work in the folder."""
    found = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    return [line for line in found.splitlines() if str(folder) in line]


def test_interrupted_at_any_moment(folder: Path) -> None:
    """The old product stays, nothing half-written appears, no process is left; the next build is whole."""
    (folder / "dist").mkdir()
    product = folder / "dist" / "app"
    before = b"what was there before"
    product.write_bytes(before)
    cache = str(with_areas(folder / "cache", "runtimes"))
    environ = os.environ | {"COACHWHIP_CACHE_DIR": cache}
    for number, delay in enumerate((0, 0.5, 2, 5, 9, 14)):
        what, code = ((signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, 128 + signal.SIGTERM))[
            number % 2
        ]
        process = subprocess.Popen(
            [*COMMAND, "build", "app.py"], cwd=folder, env=environ, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        process.stderr.readline()
        time.sleep(delay)
        process.send_signal(what)
        _, errors = process.communicate(timeout=120)
        if product.read_bytes() == before:
            assert process.returncode == code, errors
        else:
            before = b""  # it was finished before the signal came
        assert "Traceback" not in errors
        assert [path.name for path in (folder / "dist").iterdir()] == ["app"]
        assert descendants(folder) == []
    assert coachwhip(folder, "build", "app.py", COACHWHIP_CACHE_DIR=cache).returncode == 0
    interrupted = product.read_bytes()
    assert coachwhip(folder, "build", "app.py").returncode == 0
    assert product.read_bytes() == interrupted
