"""The script that a product starts with, as the text of a file. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachwhip.collect.model import library
from coachwhip.model import APP_ROOT, WHEEL_SHEBANG

if TYPE_CHECKING:
    from coachwhip.model import EntryPoint

__all__ = ["entry_path", "entry_script", "interpreter_path", "with_interpreter"]


def entry_path(entry: EntryPoint) -> str:
    """Path of the script below the product's root.

    One that only runs a module keeps out of the way of a program of that name, which the module may start.
    """
    return f"bin/{entry.name}" if entry.source is not None or entry.attribute else f"bin/{entry.name}.py"


def entry_script(entry: EntryPoint, python_version: str) -> bytes:
    """Return the text of the script: what an installer would write, or the user's own.

    Args:
        entry: what runs.
        python_version: of the product, for the first line; `3.13` or longer.
    """
    interpreter = interpreter_path(python_version)
    if entry.source is not None:
        return with_interpreter(entry.source, interpreter)
    if not entry.attribute:
        return (
            f"#!{interpreter}\n"
            "import runpy\n\n"
            'if __name__ == "__main__":\n'
            f'    runpy.run_module({entry.module!r}, run_name="__main__", alter_sys=True)\n'
        ).encode()
    name = entry.attribute.partition(".")[0]
    return (
        f"#!{interpreter}\n"
        "import sys\n\n"
        f"from {entry.module} import {name}\n\n"
        'if __name__ == "__main__":\n'
        f"    sys.exit({entry.attribute}())\n"
    ).encode()


def interpreter_path(python_version: str) -> str:
    """Virtual path of the product's interpreter; the version is `3.13` or longer."""
    return f"{APP_ROOT}/bin/python{library(python_version).removeprefix('lib/python')}"


def with_interpreter(content: bytes, interpreter: str) -> bytes:
    """Put the interpreter into the first line of a wheel's script, as installers do."""
    if not content.startswith(WHEEL_SHEBANG):
        return content
    _, newline, rest = content.partition(b"\n")
    return b"#!" + interpreter.encode() + newline + rest
