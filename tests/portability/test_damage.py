"""Damaged and truncated products: one clear sentence and the documented exit code, never a crash."""

from __future__ import annotations

import errno
import os
import random
import shutil
import struct
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from coachwhip.errors import ExitCode
from coachwhip.image import ImageReader, read_image
from coachwhip.image.format import HEADER_SIZE, SEGMENT_TAG, Section
from tests.portability.examples import HELLO, MYAPP, Example
from tests.portability.machine import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.product

DAMAGED = 125
EVERYWHERE = "copy or download it again\n"


@pytest.fixture(scope="module")
def copies(products: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Products that may be damaged."""
    folder = tmp_path_factory.mktemp("copies")
    folder.chmod(0o755)
    for name in ("hello", "myapp"):
        shutil.copy(products / name, folder / name)
    return folder


def run(product: Path, *arguments: str, cache: Path, **variables: str) -> Outcome:
    done = subprocess.run(
        [product, *arguments],
        env={"COACHWHIP_CACHE_DIR": str(cache), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@contextmanager
def flipped(product: Path, at: int, mask: int = 0x10) -> Iterator[None]:
    """Change a byte for a while."""

    def flip() -> None:
        with product.open("r+b") as stream:
            stream.seek(at)
            (byte,) = stream.read(1)
            stream.seek(at)
            stream.write(bytes([byte ^ mask]))

    flip()
    try:
        yield
    finally:
        flip()


def test_it_is_whole_to_begin_with(copies: Path, tmp_path: Path) -> None:
    assert run(copies / "hello", "Ada", cache=tmp_path) == Outcome(0, HELLO.output, "")
    assert run(copies / "myapp", "run", cache=tmp_path) == Outcome(0, MYAPP.output, "")


def test_truncated_anywhere(products: Path, tmp_path: Path) -> None:
    """The kernel refuses a file that ends within the interpreter; the interpreter says what is wrong."""
    product = tmp_path / "short"
    shutil.copy(products / "hello", product)
    image = read_image(product).offset
    whole = product.stat().st_size
    chance = random.Random(1)  # noqa: S311
    within = {whole - 1, (image + whole) // 2, image + HEADER_SIZE, image + 1, image}
    within |= {chance.randrange(image, whole) for _ in range(10)}
    for size in sorted(within, reverse=True):
        os.truncate(product, size)
        outcome = run(product, cache=tmp_path / "cache")
        assert outcome == Outcome(DAMAGED, "", f"short: this file is truncated; {EVERYWHERE}")
    before = {image - 1, image - 4096, image // 2, 4096, 1000, 800, 500, 64, 63, 4, 1, 0}
    before |= {chance.randrange(image) for _ in range(10)}
    for size in sorted(before, reverse=True):
        os.truncate(product, size)
        with pytest.raises(OSError, match=r"Input/output error|Exec format error") as caught:
            run(product, cache=tmp_path / "cache")
        assert caught.value.errno in (errno.EIO, errno.ENOEXEC)


def test_the_shell_says_that_it_cant_be_executed(products: Path, tmp_path: Path) -> None:
    product = tmp_path / "short"
    shutil.copy(products / "hello", product)
    os.truncate(product, 1_000_000)
    done = subprocess.run(["sh", "-c", "./short"], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 126
    assert "Input/output error" in done.stderr


#: What a start does not read as a whole.
LARGE = (Section.DATA, Section.PAGES, Section.SNAPSHOT)


@pytest.mark.parametrize("section", [s for s in Section if s not in LARGE])
def test_damage_in_the_index(copies: Path, tmp_path: Path, section: Section) -> None:
    product = copies / "myapp"
    image = read_image(product)
    middle = len(image.section(section)) // 2
    with flipped(product, _place(image, section) + middle):
        outcome = run(product, cache=tmp_path)
        assert outcome == Outcome(
            DAMAGED, "", f"myapp: this file is damaged (its tables are damaged); {EVERYWHERE}"
        )
        assert inspected(product) == ExitCode.IMAGE


def _place(image: ImageReader, section: Section) -> int:
    """Where a section starts in the file."""
    ranges = image._file[image.offset : image.offset + HEADER_SIZE]
    offset: int = struct.unpack_from("<Q", ranges, HEADER_SIZE - 16 - 16 * (len(Section) - section))[0]
    return image.offset + offset


def inspected(product: Path) -> int:
    command = [sys.executable, "-m", "coachwhip", "inspect", str(product)]
    return subprocess.run(command, check=False, capture_output=True).returncode


@pytest.mark.parametrize("at", range(0, HEADER_SIZE, 12))
def test_damage_in_the_header(copies: Path, tmp_path: Path, at: int) -> None:
    product = copies / "hello"
    with flipped(product, read_image(product).offset + at):
        outcome = run(product, cache=tmp_path)
    assert (outcome.code, outcome.output) == (DAMAGED, "")
    assert outcome.errors.startswith("hello: this file is damaged (its ")
    assert outcome.errors.endswith(EVERYWHERE)
    assert outcome.errors.count("\n") == 1


def blob(product: Path, path: str, *, code: bool) -> int:
    """The middle of what a file of the image consists of."""
    image = read_image(product)
    (node,) = (node for node in image.nodes() if node.path == path)
    offset, stored, _, _ = node.code if code else node.data
    return _place(image, Section.DATA) + offset + stored // 2


SITE = "lib/python3.13/site-packages"


@pytest.mark.parametrize(
    "path",
    [
        "bin/hello",
        "lib/python3.13/argparse.py",
        "lib/python3.13/encodings/utf_8.py",
        "lib/python3.13/_coachwhip_boot.py",
        f"{SITE}/hello.py",
    ],
)
def test_damaged_code_ends_the_program(copies: Path, tmp_path: Path, path: str) -> None:
    product = copies / "hello"
    with flipped(product, blob(product, path, code=True)):
        # A snapshot holds it as it was.
        outcome = run(product, cache=tmp_path, COACHWHIP_SNAPSHOT="0")
        assert inspected(product) == ExitCode.IMAGE
    assert outcome == Outcome(DAMAGED, "", f"hello: this file is damaged ({path}); {EVERYWHERE}")


def test_damage_in_native_libraries(copies: Path) -> None:
    """Like that of the interpreter it is found by `inspect` alone: a start reads only what it needs."""
    product = copies / "myapp"
    image = read_image(product)
    with flipped(product, _place(image, Section.PAGES) + image.size_of(Section.PAGES) // 2):
        assert inspected(product) == ExitCode.IMAGE


def test_damage_of_a_library_that_is_read_as_a_file(copies: Path, tmp_path: Path) -> None:
    product = copies / "myapp"
    path = f"{SITE}/myapp/myextension.cpython-313-x86_64-linux-gnu.so"
    with flipped(product, blob(product, path, code=False)):
        code = f"open('/__app__/{path}', 'rb')"
        outcome = run(product, "-c", code, cache=tmp_path, COACHWHIP_INTERPRETER="1")
    assert outcome.code == 1
    assert "Input/output error" in outcome.errors


@pytest.mark.parametrize("example", [HELLO, MYAPP], ids=str)
def test_damage_anywhere_but_in_machine_code(copies: Path, tmp_path: Path, example: Example) -> None:
    """It does what it should or says that it is damaged, whichever byte is not what it was."""
    product = copies / example.command[0]
    image = read_image(product)
    start, size = image.offset, _place(image, Section.PAGES)
    chance = random.Random(2)  # noqa: S311
    for number in range(25):
        with flipped(product, chance.randrange(start, size), 1 << chance.randrange(8)):
            outcome = run(product, *example.command[1:], cache=tmp_path / str(number))
        if outcome != Outcome(0, example.output, ""):
            assert outcome.code in (1, 124, DAMAGED)
            assert "damaged" in outcome.errors


def test_an_interpreter_without_an_application(copies: Path, tmp_path: Path) -> None:
    product = copies / "hello"
    at = product.read_bytes()[:4096].index(struct.pack("<Q", SEGMENT_TAG))
    with flipped(product, at):
        outcome = run(product, cache=tmp_path)
    sentence = "hello: this is an interpreter without an application: it carries no image\n"
    assert outcome == Outcome(DAMAGED, "", sentence)


def test_another_architecture_is_the_kernels_to_refuse(copies: Path, tmp_path: Path) -> None:
    """Seen from the machine: this one's product says that it is for another (EM_AARCH64)."""
    product = copies / "hello"
    with flipped(product, 18, 62 ^ 183), pytest.raises(OSError, match="Exec format error") as caught:
        run(product, cache=tmp_path)
    assert caught.value.errno == errno.ENOEXEC
