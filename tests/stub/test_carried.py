"""Libraries that a product carries for machines that lack them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coachwhip.model import NativeLib
from tests.stub.programs import TESTS, Content, Driver, write_image

if TYPE_CHECKING:
    from pathlib import Path

USER = "/__app__/lib/pkg/user.so"


@pytest.fixture(scope="module")
def rare(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that no machine has; beside it `user.so`, which needs it."""
    folder = tmp_path_factory.mktemp("rare")
    shared = (c_compiler, "-shared", "-fPIC", "-O2")
    library = folder / "librare.so.1"
    for command in (
        (*shared, "-Wl,-soname,librare.so.1", str(TESTS / "libdep.c"), "-o", str(library)),
        (*shared, str(TESTS / "libmain.c"), str(library), "-o", str(folder / "user.so")),
    ):
        subprocess.run(command, check=True)
    return library


@pytest.fixture(scope="module")
def carrying(rare: Path) -> Path:
    """An image with both."""
    user = NativeLib("", ("librare.so.1",), (), (2, 17), "x")
    files = {
        "lib/pkg/user.so": Content(rare.with_name("user.so").read_bytes(), native=user),
        "lib/coachwhip/librare.so.1": Content(
            rare.read_bytes(), native=NativeLib("librare.so.1", (), (), (2, 17), "x"), compress=True
        ),
    }
    return write_image(rare.with_name("image"), files)


def unpacked(driver: Driver) -> list[str]:
    root = driver.app / "root"
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_the_copy_is_found_by_what_needs_it(driver: Driver, carrying: Path) -> None:
    driver = replace(driver, image=carrying)
    assert driver.ask(f"dlopen={USER}") == "dlopen 42 same"
    assert unpacked(driver) == ["lib/coachwhip/librare.so.1", "lib/pkg/user.so"]
    # Also under its real path, by which a library may load what lies beside it.
    real = f"{driver.app}/root/lib/pkg/user.so"
    assert driver.run(f"where={USER}", f"dlopen={real}").lines == (f"where {real}", "dlopen 42 same")


def test_the_copy_is_found_from_memory(sealed_off: Driver, carrying: Path, tmp_path: Path) -> None:
    assert sealed_off.prefix
    shutil.copy(carrying, tmp_path / "image")
    nowhere = "for shared in /mnt/home /tmp /var/tmp /dev/shm; do mount -t tmpfs -o noexec none $shared; done"
    assert Driver.sealed_off(tmp_path, nowhere).ask(f"dlopen={USER}") == "dlopen 42 same"


def test_what_is_in_the_process_comes_before_the_copy(fast: Driver, carrying: Path, rare: Path) -> None:
    driver = replace(fast, image=carrying, variables={"LD_PRELOAD": str(rare)})
    assert driver.ask(f"dlopen={USER}") == "dlopen 42 same"
    assert unpacked(driver) == ["lib/pkg/user.so"]


@pytest.fixture
def versioned(c_compiler: str, driver: Driver, tmp_path: Path) -> tuple[Driver, Path]:
    """A driver whose image carries a libz.so.1 of our own; a folder with a newer one."""
    image, other = tmp_path / "image", tmp_path / "other"
    other.mkdir()
    (tmp_path / "newer.c").write_text('#include "libdep.c"\nconst char version[] = "\\0ZLIB_1.2.12";\n')
    shared = (c_compiler, "-shared", "-fPIC", f"-I{TESTS}", "-Wl,-soname,libz.so.1")
    own, user = tmp_path / "libz.so.1", tmp_path / "user.so"
    for command in (
        (*shared, str(TESTS / "libdep.c"), "-o", str(own)),
        (*shared, str(tmp_path / "newer.c"), "-o", str(other / "libz.so.1")),
        (c_compiler, "-shared", "-fPIC", str(TESTS / "libmain.c"), str(own), "-o", str(user)),
    ):
        subprocess.run(command, check=True)
    write_image(
        image,
        {
            "lib/pkg/user.so": Content(
                user.read_bytes(), native=NativeLib("", ("libz.so.1",), (), (2, 17), "x")
            ),
            "lib/coachwhip/libz.so.1": Content(
                own.read_bytes(), native=NativeLib("libz.so.1", (), (), (2, 17), "x")
            ),
        },
    )
    return replace(driver, image=image), other


def test_the_machines_own_is_taken_where_it_is_as_new(versioned: tuple[Driver, Path]) -> None:
    driver, other = versioned
    driver = replace(driver, variables={"LD_LIBRARY_PATH": f":/nowhere:{other}"})
    assert driver.ask(f"dlopen={USER}") == "dlopen 42 same"
    assert unpacked(driver) == ["lib/pkg/user.so"]


def test_the_copy_is_taken_where_the_machines_own_is_older(versioned: tuple[Driver, Path]) -> None:
    driver, other = versioned
    newer = (other / "libz.so.1").read_bytes()
    (other / "libz.so.1").write_bytes(newer.replace(b"ZLIB_1.2.12", b"ZLIB_1.2.11"))
    driver = replace(driver, variables={"LD_LIBRARY_PATH": str(other)})
    assert driver.ask(f"dlopen={USER}") == "dlopen 42 same"
    assert unpacked(driver) == ["lib/coachwhip/libz.so.1", "lib/pkg/user.so"]


@pytest.mark.parametrize("size", [0, 1, 40, 64, 4096])
def test_the_machines_own_may_be_cut_off(versioned: tuple[Driver, Path], size: int) -> None:
    """With every access checked; what the loader says to such a file is its own affair."""
    driver, other = versioned
    data = (other / "libz.so.1").read_bytes()
    (other / "libz.so.1").write_bytes(data[:size])
    driver = replace(driver, variables={"LD_LIBRARY_PATH": str(other)})
    assert driver.run(f"dlopen={USER}").status == 0
