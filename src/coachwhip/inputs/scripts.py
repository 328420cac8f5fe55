"""What a wheel offers to run, in the three ways that wheels do. Pure."""

from __future__ import annotations

import configparser
from typing import TYPE_CHECKING

from coachwhip.model import WHEEL_SHEBANG

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Script", "offered_scripts", "parse_scripts", "tells_scripts"]

#: `module:function`; a module alone, to be run as `python -m` would; or the text of a Python script.
Script = str | bytes

_GROUPS = ("console_scripts", "gui_scripts")


def tells_scripts(path: str) -> bool:
    """Whether a file of a wheel is needed to know what the wheel offers to run."""
    return _is_entry_points(path) or _is_script(path) or _is_main(path)


def offered_scripts(files: Mapping[str, bytes], package: str) -> dict[str, Script]:
    """Return what can be run, by its name.

    These are the entry points and the Python scripts that the wheel brings as files. Where there is neither
    it is the package itself if it can be run with `python -m`: so do wheels that carry a native program.

    Args:
        files: content by path of those files of the wheel that `tells_scripts` names.
        package: name of the package that stands for the whole wheel, should there be one.

    Raises:
        ValueError: the entry points can't be understood.
    """
    scripts: dict[str, Script] = {}
    for path, content in files.items():
        if _is_script(path) and content.startswith(WHEEL_SHEBANG):
            scripts[path.rpartition("/")[2]] = content
    for path, content in files.items():
        if _is_entry_points(path):
            scripts.update(parse_scripts(content.decode()))
    if not scripts and f"{package}/__main__.py" in files:
        scripts[package] = package
    return scripts


def parse_scripts(text: str) -> dict[str, str]:
    """Return the console and GUI scripts of an `entry_points.txt`, as name -> `module:function`.

    Raises:
        ValueError: it can't be understood.
    """
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    # Names of scripts are told apart by case.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
        scripts: dict[str, str] = {}
        for group in _GROUPS:
            if parser.has_section(group):
                scripts = {**dict(parser.items(group)), **scripts}
    except configparser.Error as error:
        raise ValueError(str(error).replace("\n", " ")) from error
    return scripts


def _is_entry_points(path: str) -> bool:
    return path.count("/") == 1 and path.endswith(".dist-info/entry_points.txt")


def _is_script(path: str) -> bool:
    parts = path.split("/")
    return len(parts) == 3 and parts[0].endswith(".data") and parts[1] == "scripts"  # noqa: PLR2004


def _is_main(path: str) -> bool:
    return path.count("/") == 1 and path.endswith("/__main__.py")
