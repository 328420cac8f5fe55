"""Hashes that requirements files ask for (`--hash=sha256:...`): uv reads over them when it resolves."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from coachwhip.errors import InputError, ResolutionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from coachwhip.resolve.model import LockedFile

__all__ = ["WantedHashes", "checked", "wanted_hashes"]

_HASH = re.compile(r"\s--hash[=\s]\s*(\w+):([0-9a-fA-F]+)")
_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s*)(\S.*)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._]*(?:-[A-Za-z._][A-Za-z0-9._]*)*")


@dataclass(frozen=True)
class WantedHashes:
    """What requirements files say about hashes.

    Attributes:
        by_name: lower-case hexadecimal SHA-256 of the files that are allowed, by normalised project name.
        all: every project must have a hash (`--require-hashes`).
    """

    by_name: Mapping[str, frozenset[str]]
    all: bool = False


def wanted_hashes(files: Sequence[Path]) -> WantedHashes:
    """Read the hashes out of requirements files and of those that they include.

    Raises:
        InputError: a requirement has hashes, but none that can be checked.
        OSError: a file can't be read.
    """
    found: dict[str, frozenset[str]] = {}
    everything = False
    for line in _lines_of(files):
        everything = everything or line == "--require-hashes"
        hashes = _HASH.findall(line)
        if not hashes:
            continue
        name = _name(line)
        usable = frozenset(value.lower() for kind, value in hashes if kind == "sha256")
        if not usable:
            raise InputError(f"{name} has no sha256 hash in the requirements", hint="others are not checked")
        found[name] = found.get(name, frozenset()) | usable
    return WantedHashes(found, everything)


def _lines_of(files: Sequence[Path]) -> Iterator[str]:
    """Logical lines without comments; includes followed, each file read once."""
    waiting, seen = list(files), set()
    while waiting:
        path = waiting.pop()
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        text = path.read_text(encoding="utf-8", errors="replace")
        for physical in re.sub(r"\\\r?\n", " ", text).splitlines():
            line = re.sub(r"(^|\s)#.*", "", physical).strip()
            include = _INCLUDE.fullmatch(line)
            if include and "://" not in include[1]:
                waiting.append(path.parent / include[1].strip("'\""))
            else:
                yield line


def _name(line: str) -> str:
    """The project that a requirement names; a file's by its own name."""
    requirement = line.split(maxsplit=1)[0]
    if "@" not in requirement and "/" in requirement:
        requirement = requirement.rpartition("/")[2]
    match = _NAME.match(requirement)
    return canonicalize_name(match[0]) if match else requirement


def checked(files: Sequence[LockedFile], wanted: WantedHashes) -> tuple[LockedFile, ...]:
    """Return the files, each of which has a hash that was asked for.

    A file whose hash is not known yet gets the wanted one and is compared when it is fetched.

    Raises:
        ResolutionError: a file has another hash, or one is missing where all must have one.
    """
    return tuple(_checked(file, wanted) for file in files)


def _checked(file: LockedFile, wanted: WantedHashes) -> LockedFile:
    allowed = wanted.by_name.get(file.name)
    if allowed is None:
        if wanted.all:
            raise ResolutionError(
                f"the requirements have no hash for {file}, and demand one for everything",
                hint=f"add {file} with --hash=sha256:{file.sha256 or '...'}",
            )
        return file
    if not file.sha256 and len(allowed) == 1:
        return replace(file, sha256=min(allowed))
    if file.sha256 not in allowed:
        raise ResolutionError(
            f"{file.filename or file} is none of the files whose hashes the requirements allow",
            hint="pin the version that the hashes belong to, or add the hash if this file is the right one",
            detail="".join(f"allowed sha256 {value}\n" for value in sorted(allowed))
            + f"found   sha256 {file.sha256 or 'unknown'}",
        )
    return file
