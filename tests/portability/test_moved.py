"""A product is a file like any other: renamed, linked, named in other encodings, started by a descriptor."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.portability.examples import MYAPP

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.product


def works(command: list[str | bytes | Path], **options: object) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert (done.returncode, done.stdout, done.stderr) == (0, MYAPP.output, "")


def symlink(source: Path, place: Path) -> None:
    place.symlink_to(source)


@pytest.mark.parametrize("make", [shutil.copy, os.link, symlink], ids=["copy", "hard link", "symbolic link"])
@pytest.mark.parametrize("name", [b"renamed", b"with space", b"caf\xe9", "名前".encode(), b"-c", b"a" * 255])
def test_another_name(
    products: Path, tmp_path: Path, name: bytes, make: Callable[[Path, Path], object]
) -> None:
    shutil.copy(products / "myapp", tmp_path / "original")
    place = tmp_path / os.fsdecode(name)
    make(tmp_path / "original", place)
    works([place, "run"])
    works([b"./" + name, "run"], cwd=tmp_path)


def test_found_on_path(products: Path, tmp_path: Path) -> None:
    works(["myapp", "run"], cwd=tmp_path, env={"PATH": str(products)})


def test_an_unlinked_product_goes_on(products: Path, tmp_path: Path) -> None:
    """Started by a descriptor of a file that is gone by then, as from a memfd."""
    copy = tmp_path / "gone"
    shutil.copy(products / "myapp", copy)
    descriptor = os.open(copy, os.O_RDONLY)
    copy.unlink()
    try:
        works([f"/proc/self/fd/{descriptor}", "run"], pass_fds=[descriptor])
    finally:
        os.close(descriptor)


def test_a_product_in_memory(products: Path) -> None:
    descriptor = os.memfd_create("product")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            stream.write((products / "myapp").read_bytes())
        works([f"/proc/self/fd/{descriptor}", "run"], pass_fds=[descriptor])
    finally:
        os.close(descriptor)


def test_an_argument_of_the_loader(products: Path, tmp_path: Path) -> None:
    works(["/lib64/ld-linux-x86-64.so.2", products / "myapp", "run"])
    shutil.copy(products / "myapp", tmp_path / "myapp")
    works(["/lib64/ld-linux-x86-64.so.2", "./myapp", "run"], cwd=tmp_path)


@pytest.mark.parametrize("argv0", ["", "something else", "/no/such/file", "caf\udce9"])
def test_argv0_is_the_callers_choice(products: Path, argv0: str) -> None:
    done = subprocess.run(
        [argv0, "run"], executable=products / "myapp", check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, MYAPP.output, "")


def test_executable_only_is_enough(products: Path, tmp_path: Path) -> None:
    """No permission to read, as root may install a program: the kernel maps it all the same."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("a file that its user can't read needs root and setpriv")
    place = tmp_path / "myapp"
    shutil.copy(products / "myapp", place)
    place.chmod(0o711)
    tmp_path.chmod(0o755)
    descriptor = os.open(place, os.O_PATH)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    try:
        works([*nobody, f"/proc/self/fd/{descriptor}", "run"], pass_fds=[descriptor], env={})
    finally:
        os.close(descriptor)
