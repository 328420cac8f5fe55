"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["atomic_directory", "atomic_write", "remove_tree", "translated_os_errors"]

#: How much of a file's name goes into that of its temporary, bytes.
_LONGEST_START = 200


@contextlib.contextmanager
def translated_os_errors(what: str) -> Iterator[None]:
    """Turn an `OSError` about the user's disk into an `MachineError` that says `what` failed."""
    try:
        yield
    except OSError as error:
        hint = {
            errno.ENOSPC: "free some space on that file system and run the same command again",
            errno.EDQUOT: "your disk quota is used up; free some space and try again",
            errno.EACCES: "check the permissions of that place, or choose another",
            errno.EROFS: "that file system is read-only; choose another place",
        }.get(error.errno or 0, "")
        where = f": {error.filename}" if error.filename else ""
        raise MachineError(f"can't {what}{where}: {error.strerror}", hint=hint) from error


def _temporary_beside(path: Path) -> Path:
    # A name may have 255 bytes, and `path` may use all of them.
    start = os.fsdecode(os.fsencode(path.name)[:_LONGEST_START])
    return path.with_name(f".{start}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


@contextlib.contextmanager
def atomic_write(path: Path, *, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends well.

    The permission bits become `mode` less the umask. Whatever stood at `path` stays untouched when
    the block raises, and the temporary file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_beside(path)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(mode & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Yield an empty temporary directory beside `path`; rename it to `path` when the block ends well.

    When another process made `path` in the meantime, its result is kept and ours is dropped: an
    entry's name says all of its content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_beside(path)
    temporary.mkdir()
    try:
        yield temporary
        try:
            temporary.rename(path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
    finally:
        remove_tree(temporary)


def remove_tree(path: Path) -> None:
    """Remove a directory tree, read-only parts included; what is gone already or goes meanwhile is no error.

    Raises:
        OSError: something in it can't be removed.
    """

    def pass_over_missing(
        _function: object, _name: str, raised: tuple[object, BaseException, object]
    ) -> None:
        if not isinstance(raised[1], FileNotFoundError):
            raise raised[1]

    if path.is_dir():
        _make_writable(path)
        shutil.rmtree(path, onerror=pass_over_missing)


def _make_writable(path: Path) -> None:
    """Let directories be changed by their owner; whatever stays as it is, removing it tells why."""
    with contextlib.suppress(OSError):
        path.chmod(0o700)
    for folder, names, _files in os.walk(path):
        for place in (Path(folder, name) for name in names):
            with contextlib.suppress(OSError):
                if not place.is_symlink():
                    place.chmod(0o700)
