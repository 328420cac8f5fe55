"""A project's source tree without what its developer's tools left in it: hash it, copy it."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import translated_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["copy_tree", "hash_tree", "repository_state"]

#: Directories that are never a project's own, wherever they are.
_NEVER = frozenset({".git", ".hg", ".svn", ".eggs", ".tox", ".nox", "__pycache__", ".idea", ".vscode"})
#: Directories that hold results when they are at the top; deeper down a package may be called so.
_TOP_ONLY = frozenset({"build", "dist", "wheelhouse"})


def hash_tree(folder: Path) -> str:
    """Return a hash of names, contents and execute bits of a project's files.

    Raises:
        MachineError: a file can't be read.
    """
    digest = hashlib.sha256()
    with translated_os_errors("read the project"):
        for name, path in sorted(_files(folder)):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(
                f"{name}\0{os.access(path, os.X_OK):d}{content}\n".encode("utf-8", "surrogateescape")
            )
    return digest.hexdigest()


def copy_tree(folder: Path, destination: Path) -> None:
    """Copy a project's files, so that a build neither sees nor leaves anything beside them.

    A build back end that asks git for the version still gets its answer: a repository whose top is
    `folder` is referred to, not copied.

    Raises:
        MachineError: a file can't be read or written.
    """
    with translated_os_errors("copy the project"):
        destination.mkdir(parents=True)
        for name, path in _files(folder):
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        git = folder / ".git"
        if git.is_dir():
            (destination / ".git").write_text(f"gitdir: {git.absolute()}\n")
        elif git.is_file():
            shutil.copyfile(git, destination / ".git")


def repository_state(folder: Path) -> str:
    """Return what of the folder's git repository can change a version: commit and tags; empty without one.

    Raises:
        MachineError: the repository can't be read.
    """
    git = folder / ".git"
    with translated_os_errors("read the project's repository"):
        if not git.is_dir():
            return ""
        head = (git / "HEAD").read_text()
        reference = git / head.removeprefix("ref: ").strip()
        commit = reference.read_text() if head.startswith("ref: ") and reference.is_file() else ""
        packed = git / "packed-refs"
        tags = sorted(
            str(path.relative_to(git)) + path.read_text()
            for path in (git / "refs/tags").rglob("*")
            if path.is_file()
        )
        state = "\n".join([head, commit, packed.read_text() if packed.is_file() else "", *tags])
    return hashlib.sha256(state.encode()).hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    seen: set[Path] = set()
    for root, directories, names in os.walk(folder, followlinks=True):
        here = Path(root)
        # A link to a directory above would otherwise never end.
        real = here.resolve()
        if real in seen:
            directories.clear()
            continue
        seen.add(real)
        directories[:] = [name for name in directories if not _left_out(here / name, top=here == folder)]
        for name in names:
            path = here / name
            if path.is_file() and not name.endswith((".pyc", ".pyo")) and name != ".git":
                yield path.relative_to(folder).as_posix(), path


def _left_out(directory: Path, *, top: bool) -> bool:
    name = directory.name
    return (
        name in _NEVER
        or (top and name in _TOP_ONLY)
        or name.endswith(".egg-info")
        or (directory / "pyvenv.cfg").is_file()
        # Caches say so themselves: those of cargo, mypy, ruff, pytest and others.
        or (directory / "CACHEDIR.TAG").is_file()
    )
