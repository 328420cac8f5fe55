"""Builds products out of texts, and runs them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Product", "build", "environment", "make_wheel"]

_TIMEOUT = 120


def environment(**changes: str) -> dict[str, str]:
    """This process's variables without what is meant for its own Python, and with changes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, **changes}


@dataclass(frozen=True)
class Product:
    """A product whose first argument is Python code to run, or another program called like one."""

    path: Path

    def run(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run it and return how it ended; code may be indented."""
        command = [self.path, *map(_dedented, arguments)]
        options = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL, **options}
        if "input" in options:
            del options["stdin"]
        variables = environment() if env is None else env
        return subprocess.run(command, check=False, env=variables, timeout=_TIMEOUT, **options)

    def output(self, *arguments: str | Path, **options: Any) -> str:
        """Run it and return what it prints; it must succeed and not complain."""
        done = self.run(*arguments, **options)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def value(self, *arguments: str | Path, **options: Any) -> Any:
        """Run it and return what it prints as JSON."""
        return json.loads(self.output(*arguments, **options))

    def python(self, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run it as an interpreter."""
        variables = options.pop("env", None) or environment()
        return self.run(*arguments, env={**variables, "COACHWHIP_INTERPRETER": "1"}, **options)


def _dedented(argument: str | Path) -> str | Path:
    return textwrap.dedent(argument) if isinstance(argument, str) and "\n" in argument else argument


def build(*arguments: str | Path, output: Path) -> Path:
    """Run `coachwhip build` without an index and return the product's path."""
    command = [sys.executable, "-m", "coachwhip", "build", "--no-index", *map(str, arguments)]
    done = subprocess.run([*command, "-o", output], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return output


def make_wheel(  # noqa: PLR0913  (a wheel has many parts)
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str | bytes],
    *,
    metadata: str = "",
    entry_points: str = "",
    tag: str = "py3-none-any",
) -> Path:
    """Write a wheel into `folder`, its texts without their common indentation."""
    info = f"{name}-{version}.dist-info"
    head = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
    wheel = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {'any' in tag}\nTag: {tag}\n"
    texts = {**files, f"{info}/METADATA": head + textwrap.dedent(metadata), f"{info}/WHEEL": wheel}
    if entry_points:
        texts[f"{info}/entry_points.txt"] = entry_points
    content = {
        path: textwrap.dedent(text).encode() if isinstance(text, str) else text
        for path, text in texts.items()
    }
    content[f"{info}/RECORD"] = _record(content, f"{info}/RECORD")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for place, data in content.items():
            archive.writestr(place, data)
    return path


def _record(content: Mapping[str, bytes], own: str) -> bytes:
    lines = []
    for path, data in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}\n")
    return "".join([*lines, f"{own},,\n"]).encode()
