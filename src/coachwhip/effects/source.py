"""Read what the user pointed at, and what a runtime consists of."""

from __future__ import annotations

import hashlib
import lzma
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import translated_os_errors
from coachwhip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "ZIP_DAMAGE",
    "list_names",
    "list_tree",
    "read_bytes",
    "read_files",
    "read_range",
    "sha256_of",
    "wheel_files",
]

#: What reading a zip file raises when its bytes are wrong; `OSError` for offsets that lie nowhere.
ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
)


def read_bytes(path: Path) -> bytes:
    """Return a file's content.

    Raises:
        MachineError: it can't be read.
    """
    with translated_os_errors("read a file"):
        return path.read_bytes()


def list_names(folder: Path) -> list[str]:
    """Return the names in a directory, sorted; none when it can't be listed."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def list_tree(root: Path, skip: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the POSIX paths of all files below a directory, sorted within each directory.

    Args:
        root: where to begin; links to directories are not followed.
        skip: names of directories not to enter.

    Raises:
        MachineError: a directory can't be listed.
    """

    def fail(error: OSError) -> None:
        raise error

    with translated_os_errors("list a directory"):
        for folder, folders, files in os.walk(root, onerror=fail):
            folders[:] = sorted(name for name in folders if name not in skip)
            for name in sorted(files):
                yield (Path(folder) / name).relative_to(root).as_posix()


def read_files(places: Mapping[str, Path], what: str) -> dict[str, tuple[bytes, bool]]:
    """Read files.

    Args:
        places: relative path of each, and the directory that it is relative to.
        what: for messages, `read the standard library`.

    Returns:
        Content and execute bit by relative path, sorted.

    Raises:
        MachineError: one can't be read.
    """
    found = {}
    with translated_os_errors(what):
        for path in sorted(places):
            file = places[path] / path
            found[path] = file.read_bytes(), bool(file.stat().st_mode & 0o100)
    return found


def read_range(path: Path, offset: int, size: int) -> bytes:
    """Return a part of a file.

    Raises:
        MachineError: it can't be read.
    """
    with translated_os_errors("read a file"), path.open("rb") as stream:
        stream.seek(offset)
        return stream.read(size)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, hex.

    Raises:
        MachineError: it can't be read.
    """
    with translated_os_errors("read a file"), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def wheel_files(wheel: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Return those files of a wheel whose paths are wanted, by path.

    Raises:
        InputError: it is no wheel, or a damaged one.
        MachineError: it can't be read.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {path: archive.read(path) for path in archive.namelist() if wanted(path)}
    except ZIP_DAMAGE as error:
        raise InputError(
            f"{wheel.name} is damaged or no wheel: {error}", hint="get or build that wheel anew"
        ) from error
