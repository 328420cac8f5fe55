"""Syntax errors in the app's own code, found before anything is built. Pure."""

from __future__ import annotations

import ast
import sys
import warnings
from typing import TYPE_CHECKING

from coachwhip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_syntax", "own_modules", "syntax_error"]

#: Directories inside a package whose files may be anything: tests of parsers, templates of projects.
_NOT_CODE = {"tests", "test", "testing", "templates", "fixtures", "testdata"}


def own_modules(paths: list[str], module: str) -> list[str]:
    """Choose from a project's files those of the package that its entry point is in.

    Args:
        paths: POSIX paths of its files, relative to the project.
        module: dotted module of the entry point.
    """
    top = module.partition(".")[0]
    for root in (f"src/{top}", top, f"lib/{top}"):
        if f"{root}.py" in paths:
            return [f"{root}.py"]
        inside = [path for path in paths if path.startswith(f"{root}/") and path.endswith(".py")]
        if inside:
            return [path for path in inside if _is_code(path.removeprefix(f"{root}/"))]
    return []


def _is_code(path: str) -> bool:
    parts = path.removesuffix(".py").split("/")
    return all(part.isidentifier() for part in parts) and not _NOT_CODE & set(parts)


def check_syntax(sources: Mapping[str, bytes], python: tuple[int, int]) -> list[str]:
    """Parse modules with the Python that Coachwhip itself runs on.

    Args:
        sources: text of each module, by the path to show.
        python: the product's version.

    Returns:
        Paths that could not be parsed here, but may be right for the product's Python, which is newer.

    Raises:
        InputError: one is wrong for certain, with file, line and the line's text.
    """
    doubtful = []
    for path, source in sources.items():
        error = _parse(source, path)
        if error is None:
            continue
        if sys.version_info[:2] >= python:
            raise error
        doubtful.append(path)
    return doubtful


def syntax_error(path: str, line: int, text: str, message: str) -> InputError:
    """The error for a module that the product's Python can't compile.

    Args:
        path: as the user knows it.
        line: 0 when not known.
        text: the line itself; may be empty.
        message: what is wrong with it.
    """
    where = f"{path}, line {line}" if line else path
    return InputError(
        f"{where}: {message}", hint="correct it and run the same command again", detail=text.strip()
    )


def _parse(source: bytes, path: str) -> InputError | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source, path)
    except SyntaxError as error:
        return syntax_error(path, error.lineno or 0, error.text or "", error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        return syntax_error(path, 0, "", str(error) or "too deeply nested")
    return None
