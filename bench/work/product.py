"""The products that hold the programs, and what plain Python needs to run the same."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.uv import failure, run_uv
from coachwhip.resolve import Options
from coachwhip.resolve.compile import configured_indexes
from coachwhip.resolve.indexes import index_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.work.model import Program

__all__ = ["REQUIREMENTS", "importable", "make"]

#: What runs inside the products.
_INSIDE = Path(__file__).resolve().parent / "inside"
_PYPERFORMANCE = "pyperformance==1.14.0"
#: Product -> what its programs need.
REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "pure": (),
    "native": ("numpy==2.5.5", "pandas==3.1.1", "sqlalchemy==2.1.9"),
}
_MAIN = re.compile(r"^if __name__ == ['\"]__main__['\"]:\n", re.MULTILINE)
_SCRIPT_HEAD = "# /// script\n# dependencies = [{}]\n# ///\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make(name: str, programs: Iterable[Program], place: Path) -> tuple[Path, Path]:
    """Build the product `name` of these programs.

    Returns:
        The product; and a folder with the same packages and the entry `work_NAME.py`, for plain Python.
    """
    product, packages = place / f"work-{name}", place / f"{name}-packages"
    if product.exists() and packages.exists():
        return product, packages
    shutil.rmtree(packages, ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    modules = sorted({program.module for program in programs})
    sources = _sources(modules, place)
    wheels = place / f"{name}-wheels"
    wheel = _wheel(wheels, f"measured_{name}", {**sources, "pyperf.py": (_INSIDE / "pyperf.py").read_bytes()})
    requirements = [f"measured-{name}", *REQUIREMENTS[name]]
    script = place / f"work_{name}.py"
    script.write_text(_entry(modules, requirements), encoding="utf-8")
    build: list[str | Path] = [
        sys.executable,
        "-m",
        "coachwhip",
        "build",
        script,
        "-f",
        wheels,
        "-o",
        product,
    ]
    _run(build, place / f"{name}.log")
    _install([*_pins(product), str(wheel)], packages)
    shutil.copy(script, packages)
    return product, packages


def _install(requirements: Sequence[str], folder: Path) -> None:
    """Install for plain Python what a product has."""
    options = Options(environ=os.environ)
    where = index_arguments(options, configured_indexes(options, folder.parent))
    command: list[str | Path] = ["pip", "install", "--quiet", "--no-deps", "--target", folder]
    command += ["--python-version", "3.13", *where]
    done = run_uv([*command, *requirements], environ=os.environ)
    if not done.ok:
        raise failure(done, "install the same packages")


def _pins(product: Path) -> list[str]:
    """Exactly what is in the product, but for the programs."""
    code = "import importlib.metadata as m\nfor d in m.distributions(): print(d.name + '==' + d.version)"
    done = subprocess.run(
        [product, "-c", code],
        env={"COACHWHIP_INTERPRETER": "1", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.split() if not line.startswith("measured")]


def _entry(modules: Sequence[str], requirements: Sequence[str]) -> str:
    imports = "".join(f"import {module}\n" for module in modules)
    text = (_INSIDE / "entry.py").read_text(encoding="utf-8").replace("IMPORTS = ()\n", imports)
    return _SCRIPT_HEAD.format(", ".join(f'"{requirement}"' for requirement in requirements)) + text


def _sources(modules: Sequence[str], place: Path) -> dict[str, bytes]:
    """Return file -> content of the programs' modules."""
    found: dict[str, bytes] = {}
    for module in modules:
        path = _INSIDE / f"{module}.py"
        if not path.exists():
            path = _unpacked_pyperformance(place) / module / "run_benchmark.py"
            data = (path.parent / "data").glob("*")
            found |= {f"data/{file.name}": file.read_bytes() for file in data if file.is_file()}
        found[f"{module}.py"] = importable(path.read_text(encoding="utf-8")).encode()
    return found


def importable(program: str) -> str:
    """Return a program whose main part is a text instead: it is imported, and that runs later, in its module.

    Raises:
        ValueError: it has no main part.
    """
    parts = _MAIN.split(program)
    if len(parts) != len(("before", "main part")):
        raise ValueError("a program has no main part that could be found")
    return f"{parts[0]}MAIN_PART = {textwrap.dedent(parts[1])!r}\n"


def _unpacked_pyperformance(place: Path) -> Path:
    folder = place / "pyperformance"
    if not folder.exists():
        download: list[str | Path] = [
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            folder,
            _PYPERFORMANCE,
        ]
        _run([sys.executable, *download], place / "pyperformance.log")
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder / "pyperformance" / "data-files" / "benchmarks"


def _wheel(folder: Path, name: str, files: Mapping[str, bytes]) -> Path:
    info = f"{name}-1.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1\n".encode()
    content = {**files, f"{info}/METADATA": metadata, f"{info}/WHEEL": _WHEEL.encode()}
    record = [f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in content.items()]
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, data in content.items():
            archive.writestr(file, data)
        archive.writestr(f"{info}/RECORD", "".join([*record, f"{info}/RECORD,,\n"]))
    return path


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _run(command: Sequence[str | Path], log: Path) -> None:
    with log.open("ab") as stream:
        done = subprocess.run(command, stdout=stream, stderr=stream, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed, see {log}")
