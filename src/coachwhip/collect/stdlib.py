"""The files of the standard library, less what no program needs at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachwhip.collect.filters import matches_any
from coachwhip.collect.model import RawFile, library
from coachwhip.effects.source import list_tree, read_files

if TYPE_CHECKING:
    from coachwhip.collect.model import PythonRuntime

__all__ = ["LEFT_OUT", "read_stdlib"]

#: Left out unless `include` names them: test suites, and what needs Tk or installs packages.
LEFT_OUT = ("test", "idlelib", "tkinter", "turtle", "turtledemo", "ensurepip")

#: Never wanted: they belong to an installation of Python and not to its library.
_FOREIGN = ("site-packages/**", "lib-dynload/**", "config-*/**", "**/__pycache__/**", "*.pyc", "*.exe")


def read_stdlib(runtime: PythonRuntime, include: tuple[str, ...]) -> list[RawFile]:
    """Read the standard library's files, sorted by path.

    Args:
        runtime: whose library it is.
        include: patterns that bring back parts of `LEFT_OUT`.

    Raises:
        MachineError: a file can't be read.
    """

    def wanted(path: str) -> bool:
        if matches_any(_FOREIGN, path):
            return False
        return not matches_any(LEFT_OUT, path) or matches_any(include, path)

    places = {path: runtime.stdlib for path in list_tree(runtime.stdlib) if wanted(path)}
    if include and runtime.test_stdlib.is_dir():
        tests = (path for path in list_tree(runtime.test_stdlib) if path.startswith("test/") and wanted(path))
        places |= dict.fromkeys(tests, runtime.test_stdlib)
    home = library(runtime.python_version)
    return [
        RawFile(f"{home}/{path}", data, executable)
        for path, (data, executable) in read_files(places, "read the standard library").items()
    ]
