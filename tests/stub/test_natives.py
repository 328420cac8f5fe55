"""The loader of prelinked libraries, in a product without Python."""

from __future__ import annotations

import io
import subprocess
from typing import TYPE_CHECKING

import pytest

from coachwhip.elf import native_lib
from coachwhip.image import library_folders, needed_libraries, plan_image, write_product
from coachwhip.model import (
    Blob,
    Bundle,
    Compression,
    Distribution,
    EntryPoint,
    Layer,
    NativeLib,
    Node,
    Target,
)
from coachwhip.prelink import Native, prelink, read_outside
from tests.stub.conftest import OPTIONS
from tests.stub.programs import FILES, TESTS, compile_program, compiler
from tests.unit.image.samples import manifest

if TYPE_CHECKING:
    from pathlib import Path

STATE = "open=/__app__/lib/pkg/state.so"


def compile_library(source: Path, output: Path, *options: str) -> bytes:
    path = compiler()
    assert path is not None
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [path, "-shared", "-fPIC", "-O1", "-fno-builtin", str(source), *options, "-o", str(output)]
    subprocess.run(command, check=True)
    return output.read_bytes()


def make_product(driver: bytes, libraries: dict[str, bytes], output: Path) -> Path:
    """Put libraries behind the driver, as a build does."""
    facts: dict[str, NativeLib] = {path: native_lib(content) for path, content in libraries.items()}
    stored = bytearray(b"code")
    nodes = [Node("entry.py", None, Blob(0, 4, 4, Compression.NONE, 0))]
    for path, content in libraries.items():
        blob = Blob(len(stored), len(content), len(content), Compression.NONE, 0)
        nodes.append(Node(path, blob, native=facts[path]))
        stored += content
    blobs = output.with_suffix(".blobs")
    blobs.write_bytes(stored)
    needed = needed_libraries({node.path: node for node in nodes})
    natives = [
        Native(path, content, library_folders(path, facts[path]), needed[path])
        for path, content in libraries.items()
    ]
    prelinked = prelink(natives, read_outside(driver, ()))
    assert not prelinked.refused
    layer = Layer(Distribution("sample", "1"), tuple(sorted(nodes, key=lambda node: node.path)), blobs)
    bundle = Bundle("sample", "1", EntryPoint("sample"), Target((3, 13)), (layer,))
    stream = io.BytesIO()
    write_product(prelinked.stub, plan_image(bundle, "entry.py", prelinked), manifest(), stream)
    output.write_bytes(stream.getvalue())
    output.chmod(0o755)
    return output


@pytest.fixture(scope="module")
def product(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without the address sanitizer, which keeps the addresses of prelinked libraries for itself."""
    assert c_compiler
    folder = tmp_path_factory.mktemp("natives")
    sources = (*FILES, TESTS / "natives_driver.c", TESTS / "zstd_of_system.c")
    flags = ("-fsanitize=undefined", "-fno-sanitize-recover=undefined", "-Wl,-z,norelro")
    driver = compile_program(folder / "driver", sources, *OPTIONS, *flags, sanitize=False).read_bytes()
    dep = folder / "lib" / "pkg.libs" / "libdep.so"
    libraries = {
        "lib/pkg.libs/libdep.so": compile_library(TESTS / "libdependency.c", dep, "-Wl,-soname,libdep.so"),
        "lib/pkg/state.so": compile_library(
            TESTS / "libstate.c", folder / "state.so", str(dep), "-lm", "-Wl,-rpath,$ORIGIN/../pkg.libs"
        ),
    }
    return make_product(driver, libraries, folder / "product")


def run(product: Path, *verbs: str) -> list[str]:
    done = subprocess.run([product, *verbs], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


FUNCTIONS = {
    "constructed": 1,
    "outside_function": 32,
    "outside_data": 1,
    "through_pointer": 3,
    "resolved": 111,
}
COUNTERS = {"count": 1, "thread_count": 11, "quick_count": 21}


def test_a_library_has_what_it_needs(product: Path) -> None:
    calls = [f"call={name}" for name in (*FUNCTIONS, *COUNTERS)]
    expected = [f"{name} {value}" for name, value in (FUNCTIONS | COUNTERS).items()]
    assert run(product, STATE, *calls) == ["open yes", *expected]


def test_a_restored_process_goes_on_where_it_was(product: Path) -> None:
    """Nothing is constructed twice, memory is as it was, and the outside is found anew."""
    counters, functions = [f"call={name}" for name in COUNTERS], [f"call={name}" for name in FUNCTIONS]
    lines = run(product, STATE, *counters, "restore", *functions, *counters)
    assert lines == [
        "open yes",
        *(f"{name} {value}" for name, value in COUNTERS.items()),
        "restore 0 0",
        *(f"{name} {value}" for name, value in FUNCTIONS.items()),
        *(f"{name} {value + 1}" for name, value in COUNTERS.items()),
    ]


def test_what_is_not_there_is_said(product: Path) -> None:
    path = "/__app__/lib/pkg/state.so"
    assert run(product, STATE, "call=nothing") == ["open yes", f"{path}: undefined symbol: nothing"]
