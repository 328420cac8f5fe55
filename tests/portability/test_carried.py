"""Libraries that wheels expect of every Linux and that a few machines lack: a C++ program on both."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coachwhip.elf import native_lib
from tests.portability.machine import Circumstances, Machine, Mount, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.product]

#: An exception crosses two libraries, and two threads.
THROWING = """
#include <stdexcept>
#include <string>
extern "C" void fail(int number) { throw std::runtime_error("number " + std::to_string(number)); }
"""
MODULE = """
#include <Python.h>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>
extern "C" void fail(int number);
static thread_local std::string mine = "main";
static PyObject *caught(PyObject *, PyObject *)
{
    std::ostringstream text;
    std::once_flag once;
    std::call_once(once, [&] { text << "once"; });
    std::thread([&] {
        mine = "other";
        try { fail(7); } catch (const std::exception &e) { text << ", " << e.what() << " in " << mine; }
    }).join();
    try { std::vector<int>().at(3); } catch (const std::out_of_range &) { text << ", range in " << mine; }
    return PyUnicode_FromString(text.str().c_str());
}
static PyMethodDef METHODS[] = {{"caught", caught, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "cxx", NULL, 0, METHODS, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_cxx() { return PyModule_Create(&module); }
"""
SAID = "once, number 7 in other, range in main\n"
TAG = "cp313-cp313-manylinux_2_17_x86_64"
BARE = Circumstances(
    mounts=(Mount("tmpfs", "/cache"),), environment={"COACHWHIP_CACHE_DIR": "/cache", "PATH": "/bin"}
)


@pytest.fixture(scope="module")
def runtime() -> Path:
    command = [sys.executable, "-m", "coachwhip", "runtime", "path"]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


@pytest.fixture(scope="module")
def wheel(runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel as on the package index: made by GCC, with libstdc++ and libgcc_s expected of the machine."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no g++")
    folder = tmp_path_factory.mktemp("cxx")
    (folder / "throwing.cpp").write_text(THROWING)
    (folder / "cxx.cpp").write_text(MODULE)
    include = f"-I{runtime}/include/python3.13"
    expected = [f"{runtime}/lib/carried/{name}" for name in ("libstdc++.so.6", "libgcc_s.so.1")]
    link = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-gnu.2.17", "-shared"]
    module = f"cxx.{TAG.partition('-')[0]}.so".replace("cp313", "cpython-313-x86_64-linux-gnu")
    for command in (
        [compiler, "-O1", "-fPIC", include, "-c", "throwing.cpp", "cxx.cpp"],
        [*link, "throwing.o", *expected, "-Wl,-soname,libthrowing.so", "-o", "libthrowing.so"],
        [*link, "cxx.o", "libthrowing.so", *expected, "-Wl,-rpath,$ORIGIN", "-o", module],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    files = {name: (folder / name).read_bytes() for name in (module, "libthrowing.so")}
    return write_wheel(folder, files | {"app.py": b"def main():\n    import cxx\n    print(cxx.caught())\n"})


def write_wheel(folder: Path, files: Mapping[str, bytes]) -> Path:
    info = "cxx-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: cxx\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {TAG}\n".encode(),
        f"{info}/entry_points.txt": b"[console_scripts]\ncxx = app:main\n",
    }
    record = "".join(
        f"{name},sha256={urlsafe_b64encode(sha256(content).digest()).decode().rstrip('=')},{len(content)}\n"
        for name, content in files.items()
    )
    path = folder / f"cxx-1.0-{TAG}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def build(wheel: Path, output: Path, *options: str) -> str:
    """Build a product; return what was said about it."""
    command = [sys.executable, "-m", "coachwhip", "build", str(wheel), "-o", str(output), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    output.parent.chmod(0o755)
    return done.stdout


@pytest.fixture(scope="module")
def products_in_cxx(wheel: Path) -> Path:
    folder = wheel.parent / "products"
    folder.mkdir()
    assert ", glibc 2.18 or newer; run" in build(wheel, folder / "cxx")
    assert ", glibc 2.17 or newer, libstdc++.so.6; run" in build(wheel, folder / "firm", "--glibc", "2.17")
    return folder


@pytest.mark.root
def test_exceptions_and_threads_work_with_glibc_alone(empty_root: Path, products_in_cxx: Path) -> None:
    bare = Machine(empty_root, products_in_cxx, BARE)
    assert bare.run("cxx") == Outcome(0, SAID, "")
    from_memory = replace(BARE, mounts=(Mount("proc", "/proc"),), environment={})
    assert bare.having(from_memory).run("cxx") == Outcome(0, SAID, "")


@pytest.mark.root
def test_what_an_asked_for_glibc_excludes_is_named(empty_root: Path, products_in_cxx: Path) -> None:
    outcome = Machine(empty_root, products_in_cxx, BARE).run("firm")
    assert outcome.code == 1
    assert "libstdc++.so.6: cannot open shared object file: No such file or directory\n" in outcome.errors


@pytest.mark.root
def test_the_machines_own_is_used_where_it_is_as_new(bullseye: Path, products_in_cxx: Path) -> None:
    """So that nothing is unpacked for it, and libraries of the machine get what they were made for."""
    usual = Machine(bullseye, products_in_cxx)
    assert usual.run("cxx") == Outcome(0, SAID, "")
    debug = dict(usual.circumstances.environment) | {"LD_DEBUG": "files"}
    outcome = usual.having(replace(usual.circumstances, environment=debug)).run("cxx")
    assert outcome.output == SAID
    assert "/lib/coachwhip/" not in outcome.errors
    preloaded = dict(usual.circumstances.environment) | {"LD_PRELOAD": "libstdc++.so.6"}
    outcome = usual.having(replace(usual.circumstances, environment=preloaded)).run("cxx")
    assert outcome == Outcome(0, SAID, "")


def test_the_stub_knows_what_the_copies_have(runtime: Path) -> None:
    """`carried.c` compares with the machine's libraries by the newest version of symbols in each copy."""
    source = (Path(__file__).parents[2] / "stub" / "carried.c").read_text()
    for library in (runtime / "lib" / "carried").iterdir():
        prefixes = {"libz.so.1": "ZLIB_", "libgcc_s.so.1": "GCC_", "libstdc++.so.6": "GLIBCXX_3"}
        prefix = prefixes[library.name]
        versions = [name for name in native_lib(library.read_bytes()).offers if name.startswith(prefix)]
        newest = max(versions, key=lambda name: [int(part) for part in name.rpartition("_")[2].split(".")])
        assert f'KNOWN("{library.name}", "{newest}")' in source
