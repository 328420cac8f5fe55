"""The script that a product starts with, as the text of a file. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachwhip.collect.model import library
from coachwhip.model import APP_ROOT

if TYPE_CHECKING:
    from coachwhip.model import EntryPoint

__all__ = ["entry_path", "entry_script"]


def entry_path(entry: EntryPoint) -> str:
    """Path of the script below the product's root."""
    return f"bin/{entry.name}"


def entry_script(entry: EntryPoint, python_version: str) -> bytes:
    """Return the text of the script: what an installer would write, or the user's own.

    Args:
        entry: what runs.
        python_version: of the product, for the first line; `3.13` or longer.
    """
    if entry.source is not None:
        return entry.source
    interpreter = f"{APP_ROOT}/bin/python{library(python_version).removeprefix('lib/python')}"
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
