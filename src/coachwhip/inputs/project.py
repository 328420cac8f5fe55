"""What a `pyproject.toml` says about an app. Pure."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from coachwhip.errors import InputError

__all__ = ["ProjectFacts", "check_python", "parse_project"]

#: More patch releases than any Python has had.
_PATCH_RELEASES = 100


@dataclass(frozen=True)
class ProjectFacts:
    """What can be known of a project without building it.

    Attributes:
        name: normalised; empty when its build backend decides.
        version: empty when its build backend decides.
        requires_python: a version specifier, or empty.
        scripts: console and GUI scripts; None when its build backend decides.
        tool: its `[tool]` table.
    """

    name: str
    version: str
    requires_python: str
    scripts: dict[str, str] | None
    tool: dict[str, Any]


def parse_project(text: bytes, path: str) -> ProjectFacts:
    """Read a `pyproject.toml`.

    Raises:
        InputError: it is no TOML, or a value that is needed here has the wrong type.
    """
    try:
        document = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no valid TOML: {error}") from error
    tool = _table(document, "tool", path)
    if "project" not in document:
        return ProjectFacts("", "", "", None, tool)
    project = _table(document, "project", path)
    return ProjectFacts(
        name=canonicalize_name(_text(project, "name", path)),
        version=_text(project, "version", path),
        requires_python=_text(project, "requires-python", path),
        scripts=_scripts(project, tool, path),
        tool=tool,
    )


def check_python(requires: str, python: tuple[int, int], what: str) -> None:
    """Check a version specifier against the Python of the product.

    Raises:
        InputError: it excludes every release of that Python, or is not a specifier.
    """
    try:
        specifier = SpecifierSet(requires)
    except InvalidSpecifier as error:
        raise InputError(f"{what}: requires-python is {requires!r}, which is no version specifier") from error
    version = "{}.{}".format(*python)
    # Which patch release the product gets is the runtime's affair, and not known here.
    if not any(specifier.contains(f"{version}.{patch}") for patch in range(_PATCH_RELEASES)):
        raise InputError(
            f"{what} needs Python {requires}, and the product would carry Python {version}",
            hint="choose another one with --python, or relax requires-python",
        )


def _scripts(project: dict[str, Any], tool: dict[str, Any], path: str) -> dict[str, str] | None:
    tables = [_table(project, key, path) for key in ("gui-scripts", "scripts")]
    scripts = {name: value for table in tables for name, value in table.items()}
    wrong = [name for name, value in scripts.items() if not isinstance(value, str)]
    if wrong:
        raise InputError(f"{path}: the script {wrong[0]} is not a text of the form module:function")
    if scripts:
        return scripts
    poetry = tool.get("poetry")
    elsewhere = isinstance(poetry, dict) and "scripts" in poetry
    dynamic = project.get("dynamic", [])
    if elsewhere or (
        isinstance(dynamic, list) and {"scripts", "gui-scripts", "entry-points"} & set(map(str, dynamic))
    ):
        return None
    return {}


def _table(document: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    table = document.get(key, {})
    if not isinstance(table, dict):
        raise InputError(f"{path}: {key} is not a table")
    return table


def _text(table: dict[str, Any], key: str, path: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise InputError(f"{path}: {key} is not a text")
    return value
