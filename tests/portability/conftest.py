"""Products of the examples and machines to run them on, made once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.portability.machine import Machine
from tests.portability.roots import debian, empty, need_root

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def products(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `hello`, `myapp` and `sci` that everybody may read."""
    folder = tmp_path_factory.mktemp("products")
    folder.chmod(0o755)
    for name in ("hello", "myapp", "sci"):
        command = [sys.executable, "-m", "coachwhip", "build", str(EXAMPLES / name), "-o", str(folder / name)]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"NO_COLOR": "1"})
    # Preloaded, it takes the addresses that native libraries would be mapped to: they are unpacked then.
    source = EXAMPLES.parent / "tests" / "products" / "natives" / "occupy.c"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", source, "-o", folder / "occupy.so"], check=True)
    return folder


@pytest.fixture(scope="session")
def bullseye() -> Path:
    """The root of a Debian 11: glibc 2.31, no Python."""
    root = debian("bullseye")
    assert not list((root / "usr" / "bin").glob("python*"))
    return root


@pytest.fixture(scope="session")
def machine(bullseye: Path, products: Path) -> Machine:
    """A Debian 11 with the products in /opt."""
    return Machine(bullseye, products)


@pytest.fixture(scope="session")
def empty_root(bullseye: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with glibc's files and empty folders, and nothing else."""
    need_root()
    folder = tmp_path_factory.mktemp("empty-root")
    folder.chmod(0o755)
    for name in ("opt", "cache", "proc", "dev"):
        (folder / name).mkdir()
    (folder / "dev" / "null").touch()  # a file that myapp downloads
    return empty(folder, bullseye)
