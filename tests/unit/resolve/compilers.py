"""Tiny real ELF files, made by zig when they are needed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from coachwhip.resolve.toolchain import find_zig

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["compile_shared"]


def compile_shared(source: str, output: Path, *flags: str, glibc: str = "2.17", arch: str = "x86_64") -> None:
    """Compile C text into a shared library."""
    output.parent.mkdir(parents=True, exist_ok=True)
    text = output.with_suffix(".c")
    text.write_text(source)
    command: list[str | Path] = [
        find_zig().executable,
        "cc",
        "-target",
        f"{arch}-linux-gnu.{glibc}",
        "-O1",
        "-fno-builtin",
    ]
    command += ["-shared", "-o", output, text, *flags]
    subprocess.run(command, check=True, capture_output=True)
    text.unlink()
