"""The test program and an image for it, built once."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.stub.programs import (
    FILES,
    STUB,
    TESTS,
    Content,
    Driver,
    compile_program,
    compiler,
    library_nodes,
    write_image,
)

if TYPE_CHECKING:
    from pathlib import Path

DRIVER = (*FILES, TESTS / "driver.c", TESTS / "zstd_of_system.c")
OPTIONS = ("-no-pie", f"-Wl,--dynamic-list={STUB / 'export.list'}", "-ldl", "-lpthread")


@pytest.fixture(scope="session")
def c_compiler() -> str:
    """A C compiler with sanitizers; tests that need one are skipped without."""
    path = compiler()
    if path is None:
        pytest.skip("there is no gcc or clang whose sanitizers work")
    return path


@pytest.fixture(scope="session")
def checked_program(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver, with every memory access and every undefined operation checked."""
    assert c_compiler
    return compile_program(tmp_path_factory.mktemp("checked") / "driver", DRIVER, *OPTIONS)


@pytest.fixture(scope="session")
def fast_program(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver as fast as products are, for tests with many processes."""
    assert c_compiler
    output = tmp_path_factory.mktemp("fast") / "driver"
    return compile_program(output, DRIVER, *OPTIONS, "-O2", sanitize=False)


@pytest.fixture(scope="session")
def image(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image with a bit of everything."""
    assert c_compiler
    folder = tmp_path_factory.mktemp("image")
    files = {
        "lib/mod.py": Content(b"x = 1\n" * 100, compress=True),
        "lib/bare.py": Content(None),
        "lib/empty": Content(b""),
        "lib/data/a.txt": Content(b"alpha\n"),
        "lib/data/two words.txt": Content(b"both\n"),
        "lib/data/sub/b.txt": Content(b"beta\n"),
        "lib/noise": Content(os.urandom(300_000)),
        "bin/tool": Content(b"#!/__app__/bin/python3.13\nimport x\n", executable=True),
        "bin/shell": Content(b'#!/bin/sh\necho shell "$@"\n', executable=True),
        **library_nodes(folder / "libraries"),
    }
    return write_image(folder / "image", files)


@pytest.fixture
def driver(checked_program: Path, image: Path, tmp_path: Path) -> Driver:
    """The checked driver with an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    return Driver(checked_program, image, home)


@pytest.fixture
def fast(fast_program: Path, image: Path, tmp_path: Path) -> Driver:
    """The fast driver with an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    return Driver(fast_program, image, home)


@pytest.fixture
def sealed_off(fast_program: Path, image: Path, tmp_path: Path) -> Driver:
    """The fast driver where /tmp, /var/tmp and /dev/shm are its own and empty; its home is /mnt/home."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("mounts need root")
    shutil.copy(fast_program, tmp_path / "driver")
    shutil.copy(image, tmp_path / "image")
    (tmp_path / "home").mkdir()
    return Driver.sealed_off(tmp_path)
