"""Wheels, lock files and an interpreter for tests."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from coachwhip.model import Target

__all__ = ["HERE", "Interpreter", "lock_text", "make_wheel", "wheel_entry"]

#: A target for the interpreter that runs the tests, so that it can build for it.
HERE = Target((sys.version_info.major, sys.version_info.minor))


@dataclass(frozen=True)
class Interpreter:
    """Stands for a runtime: the interpreter that runs the tests."""

    root: Path = Path(sys.base_prefix)
    interpreter: Path = Path(sys.executable)
    python_version: str = ".".join(map(str, sys.version_info[:3]))
    recipe: str = "0123456789abcdef"


def make_wheel(  # noqa: PLR0913 - tests name what they want
    directory: Path,
    name: str = "sample",
    version: str = "1.0",
    *,
    tags: str = "py3-none-any",
    files: dict[str, bytes] | None = None,
    metadata_name: str = "",
) -> Path:
    """Write a wheel with these files."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}-{version}-{tags}.whl"
    info = f"{name}-{version}.dist-info"
    interpreter, abi, platform = tags.split("-")
    lines = [
        f"Tag: {i}-{a}-{p}"
        for i in interpreter.split(".")
        for a in abi.split(".")
        for p in platform.split(".")
    ]
    metadata = f"Metadata-Version: 2.1\nName: {metadata_name or name}\nVersion: {version}\n"
    content = {
        f"{name}.py": b"VALUE = 1\n",
        **(files or {}),
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": "\n".join(["Wheel-Version: 1.0", "Root-Is-Purelib: false", *lines, ""]).encode(),
    }
    record = "".join(f"{name},,\n" for name in [*content, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in {**content, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(member, data)
    return path


def wheel_entry(filename: str, url: str = "") -> str:
    """Return one wheel as in a `pylock.toml`."""
    digest = hashlib.sha256(filename.encode()).hexdigest()
    return f'{{ url = "{url or "https://files.example/" + filename}", hashes = {{ sha256 = "{digest}" }} }}'


def lock_text(*packages: str) -> str:
    """Return a `pylock.toml`; each package is the body of a `[[packages]]` table."""
    head = 'lock-version = "1.0"\ncreated-by = "tests"\n'
    return head + "".join(f"\n[[packages]]\n{package}\n" for package in packages)
