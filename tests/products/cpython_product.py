"""CPython's own test suite as a product, and beside it as a plain interpreter.

`python -m tests.products.cpython_product FOLDER` makes FOLDER/cpython, which is `python -m test` as a
product, and FOLDER/plain/bin/python3.13, a plain interpreter with the same modules; `compare_cpython.py`
compares them.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.cli.places import default_cache
from coachwhip.progress import Silent
from coachwhip.runtime import install_runtime
from tests.products.building import build, make_wheel
from tests.products.extensions import WHEEL_TAG, cpython_test_modules

if TYPE_CHECKING:
    from coachwhip.runtime import Runtime

__all__ = ["cpython_product", "plain_interpreter"]

#: `python -m test`, by a program that imports the standard library first: its snapshot holds what of it can
#: be held. Not what has an effect when it is imported. Many tests start children with PYTHON* variables.
PROGRAM = """\
# /// script
# dependencies = ["cpython-test-modules"]
# [tool.coachwhip]
# include = ["test", "ensurepip"]
# environment = true
# find-links = ["wheels"]
# ///
import contextlib
import importlib
import runpy
import sys

NOT_IMPORTED = {"__main__", "antigravity", "idlelib", "site", "this", "tkinter", "turtle", "turtledemo"}
PACKAGES = {
    "asyncio": "base_events runners streams taskgroups timeouts unix_events",
    "concurrent.futures": "process thread",
    "ctypes": "util wintypes",
    "email": "generator header message mime.multipart mime.text parser policy",
    "http": "client cookiejar cookies server",
    "importlib": "metadata resources simple util",
    "logging": "config handlers",
    "multiprocessing": "managers pool queues shared_memory synchronize",
    "test": "libregrtest.main libregrtest.single support.os_helper support.script_helper",
    "unittest": "async_case mock",
    "urllib": "error parse request robotparser",
    "wsgiref": "simple_server validate",
    "xml": "dom.minidom etree.ElementTree sax.expatreader",
    "xmlrpc": "client server",
}

for name in sorted(sys.stdlib_module_names - NOT_IMPORTED):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
for package, modules in PACKAGES.items():
    for name in modules.split():
        importlib.import_module(f"{package}.{name}")

if __name__ == "__main__":
    runpy.run_module("test", run_name="__main__", alter_sys=True)
"""


def cpython_product(modules: list[Path], folder: Path) -> Path:
    """Build the test suite with its extension modules as FOLDER/cpython."""
    files: dict[str, str | bytes] = {path.name: path.read_bytes() for path in modules}
    make_wheel(folder / "wheels", "cpython_test_modules", "1", files, tag=WHEEL_TAG)
    script = folder / "cpython.py"
    script.write_text(PROGRAM)
    return build(script, output=folder / "cpython")


def plain_interpreter(runtime: Runtime, modules: list[Path], folder: Path) -> Path:
    """Copy a runtime's interpreter with its library and the same modules to FOLDER/plain."""
    library = folder / "plain" / "lib" / "python3.13"
    shutil.copytree(runtime.stdlib, library)
    shutil.copytree(runtime.test_stdlib / "test", library / "test")
    shutil.copytree(runtime.include, folder / "plain" / "include" / "python3.13")
    for module in modules:
        (library / "site-packages").mkdir(exist_ok=True)
        shutil.copy(module, library / "site-packages")
    interpreter = folder / "plain" / "bin" / runtime.interpreter.name
    interpreter.parent.mkdir()
    return Path(shutil.copy(runtime.interpreter, interpreter))


def main(folder: Path) -> None:
    """Make both."""
    cache = default_cache()
    runtime = install_runtime(None, cache=cache, environ=os.environ, progress=Silent())
    modules = cpython_test_modules(runtime, cache, folder)
    cpython_product(modules, folder)
    plain_interpreter(runtime, modules, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
