"""Extension modules compiled for products, with the compiler that comes with coachwhip."""

from __future__ import annotations

import os
import re
import tarfile
from typing import TYPE_CHECKING

from coachwhip.errors import CoachwhipError
from coachwhip.progress import Silent
from coachwhip.runtime import prepare_toolchain
from coachwhip.runtime.installed import recipe_book
from coachwhip.runtime.sources import obtain_archives
from coachwhip.runtime.toolchain import zig_cc

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from coachwhip.effects.cache import Cache
    from coachwhip.runtime import Runtime

__all__ = ["SUFFIX", "WHEEL_TAG", "compile_extension", "cpython_test_modules"]

SUFFIX = ".cpython-313-x86_64-linux-gnu.so"
WHEEL_TAG = "cp313-cp313-manylinux_2_17_x86_64"

#: Extension modules of CPython's test suite. Runtimes have none of them.
_TEST_MODULES = (
    *("_ctypes_test", "_testbuffer", "_testcapi", "_testclinic", "_testclinic_limited"),
    *("_testimportmultiple", "_testinternalcapi", "_testlimitedcapi", "_testmultiphase", "_testsinglephase"),
)


def compile_extension(runtime: Runtime, cache: Cache, sources: Sequence[Path], output: Path) -> Path:
    """Compile an extension module of C sources in one directory; return `output`."""
    folder = sources[0].parent
    includes = [runtime.include, runtime.include / "internal", folder, folder.parent]
    flags = ["-shared", "-fPIC", "-O1", "-g0", "-w", *(f"-I{path}" for path in includes)]
    output.parent.mkdir(parents=True, exist_ok=True)
    zig_cc(prepare_toolchain(cache, os.environ), [*flags, *sources, "-o", output])
    return output


def cpython_test_modules(runtime: Runtime, cache: Cache, folder: Path) -> list[Path]:
    """Compile CPython's test extension modules below `folder`; needs CPython's source, maybe the network.

    Raises:
        CoachwhipError: the source can't be had.
    """
    modules = _modules_directory(cache, folder / "source")
    setup = (modules / "Setup.stdlib.in").read_text()
    made = []
    for name in _TEST_MODULES:
        found = re.search(rf"^@MODULE_{name.upper()}_TRUE@{name} (.*)$", setup, re.MULTILINE)
        assert found, f"CPython has no {name} any more"
        sources = [modules / part for part in found[1].split() if part.endswith(".c")]
        made.append(compile_extension(runtime, cache, sources, folder / "modules" / f"{name}{SUFFIX}"))
    return made


def _modules_directory(cache: Cache, folder: Path) -> Path:
    source = recipe_book().get("3.13").source
    archive = obtain_archives([source], cache, os.environ, Silent())[source.name]
    if archive.version != source.version:
        raise CoachwhipError(f"CPython {source.version} is not to be had, only {archive.version}")
    with tarfile.open(archive.path) as tar:
        wanted = re.compile(r"[^/]+/Modules/(Setup\.stdlib\.in|(clinic/)?_test|_ctypes/_ctypes_test)")
        tar.extractall(folder, [m for m in tar if wanted.match(m.name)], filter="data")
    (top,) = folder.iterdir()
    return top / "Modules"
