"""What goes into a resolution and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from coachwhip.model import Target

__all__ = ["BuildPython", "Kind", "Lock", "LockedFile", "NewerGlibc", "Options", "Project"]


class BuildPython(Protocol):
    """The interpreter that requirements are resolved and wheels are built with: a `runtime.Runtime`."""

    @property
    def root(self) -> Path:
        """The directory below which everything of this interpreter is."""
        ...

    @property
    def interpreter(self) -> Path:
        """The executable."""
        ...

    @property
    def python_version(self) -> str:
        """Full version, `3.13.5`."""
        ...

    @property
    def recipe(self) -> str:
        """A hash of how it was made; wheels built with another one are not reused."""
        ...


class Kind(Enum):
    """What a locked file is, and so how a wheel comes of it."""

    WHEEL = "wheel"
    SDIST = "sdist"
    DIRECTORY = "directory"
    VCS = "vcs"


@dataclass(frozen=True)
class LockedFile:
    """The one thing that is taken for one project.

    Attributes:
        name: normalised project name.
        version: its version; empty for a directory or repository, whose build tells it.
        kind: what it is.
        location: URL or absolute path of the file, the directory or the repository.
        filename: of a wheel or an sdist; empty for the others.
        sha256: hex; empty when neither the index nor the lock knows it.
        commit: of a repository.
        subdirectory: of the project inside an archive or repository.
        reason: why an sdist was taken and not a wheel, for messages; empty for wheels.
    """

    name: str
    version: str
    kind: Kind
    location: str
    filename: str = ""
    sha256: str = ""
    commit: str = ""
    subdirectory: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.name}=={self.version}" if self.version else self.name


@dataclass(frozen=True)
class NewerGlibc:
    """A release that has wheels only for a newer glibc than was preferred.

    Attributes:
        name: of the project.
        version: of the project.
        glibc: the oldest that one of its wheels is for.
    """

    name: str
    version: str
    glibc: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.name} {self.version} (manylinux_{self.glibc[0]}_{self.glibc[1]})"


@dataclass(frozen=True)
class Lock:
    """Exactly the files to install for one target.

    Attributes:
        target: what they were chosen for.
        files: one per project, sorted by name.
        text: the `pylock.toml` (PEP 751) that they were chosen from; empty when nothing was needed.
        origin: where that came from: `uv`, or the lock file's path.
        newer: releases for which `target` was raised.
    """

    target: Target
    files: tuple[LockedFile, ...]
    text: str = ""
    origin: str = "uv"
    newer: tuple[NewerGlibc, ...] = ()


@dataclass(frozen=True)
class Project:
    """A project folder whose dependencies are wanted.

    Attributes:
        folder: has a `pyproject.toml`.
        extras: optional dependencies to include.
        groups: dependency groups (PEP 735) to include.
    """

    folder: Path
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """How to resolve, fetch and build.

    Attributes:
        environ: the environment of the command: indexes, credentials, proxies and certificates are
            taken from it as uv and pip do.
        constraints: requirement strings that limit versions without asking for anything.
        constraint_files: files of such, as pip's `-c`.
        overrides: requirement strings that replace what projects ask for.
        index: URLs of indexes to ask before the default one.
        default_index: URL of the default index; the configured one when empty.
        find_links: directories or pages with files to consider.
        no_index: ask no index, only `find_links`.
        offline: use only what is already on this machine.
        prerelease: take pre-releases.
        exclude_newer: ignore files uploaded after this moment (RFC 3339 or a date).
        from_source: normalised names of projects to build from source even when there are wheels.
        ignore_lock: resolve anew even when the project has a lock file.
        build_environment: further variables for build back ends; part of what a built wheel is cached by.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    constraint_files: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    default_index: str = ""
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    offline: bool = False
    prerelease: bool = False
    exclude_newer: str = ""
    from_source: frozenset[str] = frozenset()
    ignore_lock: bool = False
    build_environment: Mapping[str, str] = field(default_factory=dict)
