"""Inline metadata of scripts (PEP 723). Pure."""

from __future__ import annotations

import io
import tokenize
import tomllib
from dataclasses import dataclass
from typing import Any

from coachwhip.errors import InputError

__all__ = ["Inline", "parse_inline"]

_BEGIN = "# /// "
_END = "# ///"


@dataclass(frozen=True)
class Inline:
    """What a script says about itself.

    Attributes:
        dependencies: requirement strings.
        requires_python: a version specifier, or empty.
        tool: its `[tool]` table.
    """

    dependencies: tuple[str, ...] = ()
    requires_python: str = ""
    tool: dict[str, Any] | None = None


def parse_inline(source: bytes, path: str) -> Inline:
    """Read the `script` block of a script; all empty when it has none.

    Args:
        source: the script.
        path: its path, for messages.

    Raises:
        InputError: the script's encoding or the block can't be understood.
    """
    blocks = list(_blocks(_text(source, path), path))
    if not blocks:
        return Inline()
    if len(blocks) > 1:
        raise InputError(f"{path} has {len(blocks)} blocks of inline metadata", hint="keep one of them")
    line, content = blocks[0]
    try:
        document = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{path}: the inline metadata that begins in line {line} is no TOML: {error}"
        ) from error
    dependencies = document.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(item, str) for item in dependencies):
        raise InputError(f"{path}: dependencies in its inline metadata is not a list of texts")
    requires = document.get("requires-python", "")
    if not isinstance(requires, str):
        raise InputError(f"{path}: requires-python in its inline metadata is not a text")
    tool = document.get("tool", {})
    if not isinstance(tool, dict):
        raise InputError(f"{path}: tool in its inline metadata is not a table")
    return Inline(tuple(dependencies), requires, tool)


def _text(source: bytes, path: str) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        return source.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a Python script: {error}") from error


def _blocks(text: str, path: str) -> list[tuple[int, str]]:
    """Return line number and content of every block of type `script`.

    A block is a run of comment lines; its last line of the form `# ///` closes it.
    """
    lines = text.splitlines()
    found = []
    number = 0
    while number < len(lines):
        if not lines[number].startswith(_BEGIN):
            number += 1
            continue
        end = number + 1
        while end < len(lines) and (lines[end] == "#" or lines[end].startswith("# ")):
            end += 1
        closing = [index for index in range(number + 1, end) if lines[index] == _END]
        if lines[number].removeprefix(_BEGIN) == "script":
            if not closing:
                raise InputError(
                    f"{path}: the inline metadata that begins in line {number + 1} does not end",
                    hint=f"close it with a line {_END!r}",
                )
            content = "\n".join(line[2:] for line in lines[number + 1 : closing[-1]])
            found.append((number + 1, content))
        number = closing[-1] + 1 if closing else number + 1
    return found
