"""What an argument means: a path that exists is one; what looks like a path must exist. Pure."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from coachwhip.errors import InputError
from coachwhip.inputs.model import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Found", "classify", "looks_like_path", "missing_path", "parse_requirement"]

_FILE_ENDINGS = (".py", ".pyw", ".whl", ".toml", ".txt", ".zip", ".gz", ".cfg", ".lock")
_NAMED_URL = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?\s*@")
_PATH_WITH_EXTRAS = re.compile(r"([^\[\]]+)\[([^\[\]]+)\]")
_PYTHON_FIRST_LINE = re.compile(rb"#![^\n]*python")


@dataclass(frozen=True)
class Found:
    """What is at a path.

    Attributes:
        directory: whether it is a directory.
        names: names in the directory, or nothing.
        head: the first bytes of the file.
    """

    directory: bool
    names: tuple[str, ...] = ()
    head: bytes = b""


def classify(argument: str, found: Found | None) -> Kind:
    """Decide what kind of app an argument is.

    Args:
        argument: as the user wrote it.
        found: what is at the path of that name; None when nothing is.

    Raises:
        InputError: it is a path, and what is there is no app.
    """
    if found is None:
        return Kind.REQUIREMENT
    if found.directory:
        return _directory(argument, found)
    if argument.endswith(".whl"):
        return Kind.WHEEL
    if argument.endswith((".py", ".pyw")) or _PYTHON_FIRST_LINE.match(found.head):
        return Kind.SCRIPT
    hints = {
        ".txt": f"for a requirements file write -r {argument}",
        ".gz": "unpack it and name the folder",
        ".zip": "unpack it and name the folder",
        ".toml": "name the folder that it is in",
    }
    ending = "." + argument.rpartition(".")[2]
    raise InputError(
        f"{argument} is neither a project folder, nor a .py file, nor a .whl file",
        hint=hints.get(ending, "name one of these, or a requirement such as httpie>=3"),
    )


def looks_like_path(argument: str) -> bool:
    """Whether an argument can only mean a path, although there is nothing at it."""
    if _NAMED_URL.match(argument):
        return False
    return "/" in argument or argument.startswith((".", "~")) or argument.endswith(_FILE_ENDINGS)


def missing_path(argument: str, names: Sequence[str]) -> InputError:
    """The error for a path at which there is nothing; `names` are those in its directory."""
    if "://" in argument:
        return InputError(f"{argument} is an address, not an app", hint=f"write NAME @ {argument}")
    if with_extras := _PATH_WITH_EXTRAS.fullmatch(argument):
        path, extras = with_extras.groups()
        options = " ".join(f"--extra {extra.strip()}" for extra in extras.split(","))
        return InputError(f"there is no {argument}", hint=f"for extras of a project write {path} {options}")
    folder, slash, name = argument.rstrip("/").rpartition("/")
    near = difflib.get_close_matches(name, names, n=3)
    shown = ", ".join(folder + slash + item for item in near)
    return InputError(
        f"there is no {argument}", hint=f"did you mean {shown}?" if near else "check the path's spelling"
    )


def parse_requirement(text: str, what: str = "") -> Requirement:
    """Parse a requirement.

    Args:
        text: as in PEP 508.
        what: where it stands, for messages.

    Raises:
        InputError: it is none.
    """
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        where = f"{what}: " if what else ""
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{where}{text!r} is no requirement: {reason}",
            hint="write a name, with extras and versions if need be: httpie[cli]>=3",
        ) from error


def _directory(argument: str, found: Found) -> Kind:
    if {"pyproject.toml", "setup.py"} & set(found.names):
        return Kind.PROJECT
    scripts = [name for name in found.names if name.endswith(".py")]
    below = argument.rstrip("/")
    if scripts:
        hint = f"add one, or name a script in it: {below}/{scripts[0]}"
    elif "/" not in below and _could_be_requirement(below):
        hint = f'add one; for the project {below} of the package index write "{below}>=0"'
    else:
        hint = "add one, or name another folder"
    raise InputError(f"the folder {argument} has no pyproject.toml", hint=hint)


def _could_be_requirement(text: str) -> bool:
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True
