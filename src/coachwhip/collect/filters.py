"""Patterns of `include` and `exclude`. What they mean is on the reference page of the configuration."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["matches", "matches_any", "relative_path"]

_LIBRARY = re.compile(r"lib/python\d+\.\d+/(?:site-packages/)?")
#: Endings of files that a module pattern takes for the module of that name; stubs go with their module.
_MODULE_ENDING = re.compile(r"\.(?:py|pyc|pyi|so|[^/]*\.so)$")
_FILE_ENDING = re.compile(r"\*(\.[^*?/]+)")


def relative_path(path: str) -> str:
    """Path below the directory that modules are imported from; unchanged for files elsewhere."""
    return _LIBRARY.sub("", path, count=1) if path.startswith("lib/") else path


def matches(pattern: str, relative: str) -> bool:
    """Whether a pattern means a file; `relative` is a path that `relative_path` gave."""
    regex, of_modules = _compiled(pattern)
    return regex.match(_module_path(relative) if of_modules else relative) is not None


def matches_any(patterns: Iterable[str], relative: str) -> bool:
    """Whether one of the patterns means the file."""
    return any(matches(pattern, relative) for pattern in patterns)


@functools.lru_cache(maxsize=8192)
def _module_path(relative: str) -> str:
    return _MODULE_ENDING.sub("", relative)


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> tuple[re.Pattern[str], bool]:
    """The expression for a pattern, and whether it is one for modules."""
    if ending := _FILE_ENDING.fullmatch(pattern):
        return re.compile(f".*{re.escape(ending[1])}$", re.DOTALL), False
    of_modules = "/" not in pattern
    names = pattern.split(".") if of_modules else pattern.strip("/").split("/")
    # A dot never is part of a module's name, which keeps `*` away from metadata directories.
    character = "[^/.]" if of_modules else "[^/]"
    expression = ""
    for name in names[:-1]:
        expression += f"(?:{character}+/)*" if name == "**" else f"{_one_name(name, character)}/"
    expression += ".*" if names[-1] == "**" else f"{_one_name(names[-1], character)}(?:/|$)"
    return re.compile(expression, re.DOTALL), of_modules


def _one_name(name: str, character: str) -> str:
    pieces = re.split(r"([*?])", name)
    return "".join({"*": f"{character}*", "?": character}.get(piece, re.escape(piece)) for piece in pieces)
