"""Which glibc products need, and what is said where it is older."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from coachwhip.elf import native_lib
from tests.portability.examples import HELLO
from tests.portability.machine import Machine, Outcome

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product


def test_the_interpreter_needs_nothing_newer_than_2_17(products: Path) -> None:
    library = native_lib((products / "hello").read_bytes())
    assert library.glibc is not None
    assert library.glibc <= (2, 17)
    system = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"}
    assert set(library.needed) <= system


@pytest.mark.parametrize(
    ("name", "floor", "reason"),
    [
        ("hello", "2.17", ""),
        ("myapp", "2.28", "pycurl.libs/libcurl-"),
        ("sci", "2.27", "numpy.libs/libscipy_openblas"),
    ],
)
def test_inspect_tells_the_floor_and_what_sets_it(products: Path, name: str, floor: str, reason: str) -> None:
    command = [sys.executable, "-m", "coachwhip", "inspect", str(products / name)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words = " ".join(text.split())
    because = f", because of {reason}" if reason else ""
    assert f" glibc {floor} or newer{because}" in words


def hash_of_version(name: bytes) -> int:
    """The hash by which ld.so compares names of versions, as in the ELF specification."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return value & 0xFFFFFFFF


@pytest.fixture
def too_new(products: Path, tmp_path: Path) -> Path:
    """`hello` as if its interpreter needed a glibc that nobody has."""
    data = bytearray((products / "hello").read_bytes())
    old, new = b"GLIBC_2.17", b"GLIBC_9.99"
    end = len(data) // 2
    for before, after in (
        (b"\0" + old + b"\0", b"\0" + new + b"\0"),
        (struct.pack("<I", hash_of_version(old)), struct.pack("<I", hash_of_version(new))),
    ):
        assert before in data[:end]
        data[:end] = data[:end].replace(before, after)
    tmp_path.chmod(0o755)
    (tmp_path / "hello").write_bytes(data)
    (tmp_path / "hello").chmod(0o755)
    return tmp_path


@pytest.mark.root
def test_the_loader_names_the_glibc_that_is_missing(machine: Machine, too_new: Path) -> None:
    """Before any code of the product runs: the sentence is ld.so's own."""
    outcome = Machine(machine.root, too_new).run(*HELLO.command)
    assert (outcome.code, outcome.output) == (1, "")
    assert "version `GLIBC_9.99' not found (required by /opt/hello)" in outcome.errors


SOURCE = """
#include <Python.h>
#include <stdlib.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "modern", NULL, 0, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_modern(void)
{
    arc4random(); /* since glibc 2.36 */
    return PyModule_Create(&module);
}
"""


@pytest.fixture(scope="module")
def modern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product whose wheel needs glibc 2.36, in a folder of its own."""
    folder = tmp_path_factory.mktemp("modern")
    folder.chmod(0o755)
    runtime = subprocess.run(
        [sys.executable, "-m", "coachwhip", "runtime", "path"], check=True, capture_output=True, text=True
    )
    include = f"-I{runtime.stdout.strip()}/include/python3.13"
    (folder / "modern.c").write_text(SOURCE)
    library = folder / "modern.cpython-313-x86_64-linux-gnu.so"
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-gnu.2.36", "-shared", "-O1"]
    subprocess.run([*zig, include, folder / "modern.c", "-o", library], check=True, capture_output=True)
    files = {
        library.name: library.read_bytes(),
        "app.py": b"def main():\n    print('starts')\n    import modern\n    print(modern.__name__)\n",
        "modern-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: modern\nVersion: 1.0\n",
        "modern-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"
        b"Tag: cp313-cp313-manylinux_2_36_x86_64\n",
        "modern-1.0.dist-info/entry_points.txt": b"[console_scripts]\nmodern = app:main\n",
    }
    record = "".join(
        f"{name},sha256={urlsafe_b64encode(sha256(content).digest()).decode().rstrip('=')},{len(content)}\n"
        for name, content in files.items()
    )
    wheel = folder / "modern-1.0-cp313-cp313-manylinux_2_36_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("modern-1.0.dist-info/RECORD", record + "modern-1.0.dist-info/RECORD,,\n")
    return folder


def build(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    wheel = next(folder.glob("*.whl")).name
    command = [sys.executable, "-m", "coachwhip", "build", wheel, "-o", "product/modern", *options]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def test_a_wheel_for_a_newer_glibc_is_refused_where_an_older_one_was_asked_for(modern: Path) -> None:
    done = build(modern, "--glibc", "2.35")
    assert done.returncode == 5
    assert "manylinux_2_36_x86_64" in done.stderr
    assert not (modern / "product").exists()


@pytest.mark.root
def test_a_library_that_needs_a_newer_glibc_says_so(machine: Machine, products: Path, modern: Path) -> None:
    done = build(modern)
    assert done.returncode == 0, done.stderr
    assert "glibc 2.36 or newer because of modern 1.0 (manylinux_2_36)" in done.stderr
    assert "glibc 2.36 or newer" in done.stdout
    (modern / "product").chmod(0o755)
    shutil.copy(products / "occupy.so", modern / "product")
    # Unpacked, as the system's loader asks for versions; mapped, it runs until it calls what there is not.
    unpacked = replace(machine.circumstances, environment={"LD_PRELOAD": "/opt/occupy.so"})
    outcome = Machine(machine.root, modern / "product", unpacked).run("modern")
    assert (outcome.code, outcome.output) == (1, "starts\n")
    last = outcome.errors.splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert "version `GLIBC_2.36' not found" in last


@pytest.mark.root
def test_a_system_without_glibc(products: Path, tmp_path: Path, machine: Machine) -> None:
    """As where musl is the libc: the kernel does not find the loader, and the shell calls it "not found"."""
    (tmp_path / "opt").mkdir()
    tmp_path.chmod(0o755)
    bare = Machine(tmp_path, products, type(machine.circumstances)(mounts=()))
    outcome = bare.run("hello")
    assert outcome == Outcome(1, "", outcome.errors)
    assert outcome.errors.endswith("FileNotFoundError: [Errno 2] No such file or directory: b'/opt/hello'\n")
