"""The directories into which products have unpacked files, by the rules that products keep among themselves.

`docs/explanation/files.md` has these rules, and `stub/prune.c` is the other side of them.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from coachwhip.effects.files import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["is_unused", "last_use", "remove_unused", "unpacked_directories"]

_TRASH = ".coachwhip-trash-"
_NAME = re.compile(r".*-[0-9a-f]{16}")


def unpacked_directories(root: Path) -> Iterator[tuple[Path, float]]:
    """Yield the user's own directories of products below a cache's root, and when each was last used.

    What a product had no time left to remove is among them, as not used since 1970.
    """
    for path in root.iterdir() if root.is_dir() else ():
        if _is_trash(path):
            yield path, 0.0
        elif _NAME.fullmatch(path.name) and (used := last_use(path)) is not None:
            yield path, used


def last_use(path: Path) -> float | None:
    """Return when a product's directory was last used, seconds since 1970; None when it is another user's."""
    try:
        info = (path / ".used").lstat()
    except OSError:
        return None
    ours = stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid() and not path.is_symlink()
    return info.st_mtime if ours else None


def is_unused(path: Path) -> bool:
    """Whether no process uses a directory at this moment."""
    if _is_trash(path):
        return True
    with _locked(path) as locked:
        return locked


def remove_unused(path: Path, *, used: float) -> bool:
    """Remove a directory unless a process uses it, or has used it after `used`; returns whether it is gone.

    Raises:
        OSError: it can't be removed.
    """
    if _is_trash(path):
        remove_tree(path)
        return True
    with _locked(path) as locked:
        # The time counts only now: until the lock was ours, a product could come and make it new.
        if not locked or (last_use(path) or 0.0) > used:
            return False
        remove_tree(path.rename(path.with_name(_TRASH + secrets.token_hex(8))))
    return True


def _is_trash(path: Path) -> bool:
    return path.name.startswith(_TRASH)


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Keep products away from a directory for the block; yields False when one is using it."""
    try:
        mark = os.open(path / ".used", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield False
        return
    try:
        yield _try_lock(mark)
    finally:
        os.close(mark)


def _try_lock(mark: int) -> bool:
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
