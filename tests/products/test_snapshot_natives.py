"""Native libraries that are part of a snapshot."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.products.building import build, make_wheel
from tests.products.extensions import SUFFIX, WHEEL_TAG, compile_extension
from tests.products.subjects import Subject

if TYPE_CHECKING:
    from coachwhip.effects.cache import Cache
    from coachwhip.runtime import Runtime

pytestmark = pytest.mark.product

SOURCE = Path(__file__).parent / "natives" / "fluent.cpp"
#: Says whether the module was there before it was imported, and uses it.
APP = """\
def main():
    import sys
    early = "app.fluent" in sys.modules
    from app import fluent
    if not sys.argv[1:]:
        print(early, fluent.shown())
"""


@pytest.fixture(scope="module")
def app(runtime: Runtime, folder: Path) -> Subject:
    """A console script with an extension module in C++, which is only imported when it is used."""
    if shutil.which("g++") is None:
        pytest.skip("there is no g++")
    native = folder / f"fluent{SUFFIX}"
    command: list[str | Path] = [
        "g++",
        "-O1",
        "-shared",
        "-fPIC",
        f"-I{runtime.include}",
        SOURCE,
        "-o",
        native,
    ]
    subprocess.run(command, check=True)
    files: dict[str, str | bytes] = {"app/__init__.py": APP, f"app/{native.name}": native.read_bytes()}
    scripts = "[console_scripts]\napp = app:main\n"
    wheel = make_wheel(folder / "fluent", "app", "1.0", files, entry_points=scripts, tag=WHEEL_TAG)
    return Subject(build(wheel, "--glibc", "2.38", output=folder / "fluent" / "app"))


def test_streams_of_c_plus_plus_know_their_characters(app: Subject) -> None:
    shown = "1.23e+03 101 Y10\n"
    assert app.snapshot().stdout == f"True {shown}"
    assert app.ordinary().stdout == f"False {shown}"


#: Tells which of two modules were there before they were imported: one of them keeps an address of libc's.
HOLDING = """\
import sys


def main():
    baked = sorted(name for name in ("held.crew", "held.holder") if name in sys.modules)
    from held import crew, holder
    if not sys.argv[1:]:
        print(baked, crew.is_loader(), holder.is_right())
"""


def test_only_the_library_that_holds_addresses_of_the_machine_stays_out(
    runtime: Runtime, cache: Cache, folder: Path
) -> None:
    files: dict[str, str | bytes] = {"held/__init__.py": "", "held/cli.py": HOLDING}
    for name in ("crew", "holder"):
        native = compile_extension(
            runtime, cache, [SOURCE.with_name(f"{name}.c")], folder / f"{name}{SUFFIX}"
        )
        files[f"held/{native.name}"] = native.read_bytes()
    entry = "[console_scripts]\nheld = held.cli:main\n"
    wheel = make_wheel(folder / "held", "held", "1.0", files, entry_points=entry, tag=WHEEL_TAG)
    held = Subject(build(wheel, "--glibc", "2.28", output=folder / "held" / "app"))
    assert held.snapshot().stdout == "['held.crew'] True True\n"
    assert held.ordinary().stdout == "[] True True\n"
