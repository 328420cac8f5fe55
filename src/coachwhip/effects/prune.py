"""Remove what has not been used for a while from the cache, and never while something uses it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coachwhip.effects.files import remove_tree, translated_os_errors
from coachwhip.effects.unpacked import is_unused, remove_unused, unpacked_directories
from coachwhip.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from coachwhip.effects.cache import Cache

__all__ = ["PRUNED_AREAS", "Entry", "cache_in_use", "entries", "prune"]

#: Areas whose entries go when they have not been used for long. Runtimes are not among them: they are
#: installed and removed by name.
PRUNED_AREAS = ("builds", "layers", "logs", "sources", "stubs", "wheels", "work", "zig")

#: What products have unpacked lies beside the areas: where they look for it is part of how they work.
_PRODUCTS = "products"


@dataclass(frozen=True)
class Entry:
    """One entry of an area.

    Attributes:
        area: its area, `layers`; `products` for what a product has unpacked.
        path: the file or directory.
        size: bytes on disk.
        used: when it was last used, seconds since 1970.
    """

    area: str
    path: Path
    size: int
    used: float


@contextlib.contextmanager
def cache_in_use(cache: Cache) -> Iterator[None]:
    """Keep `prune` away while the block runs; any number of processes may do so at once."""
    with _locked(cache, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def _locked(cache: Cache, operation: int) -> Iterator[None]:
    with translated_os_errors("lock the cache"):
        descriptor = os.open(
            cache.area("locks") / "in-use.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)


def entries(cache: Cache) -> list[Entry]:
    """Return everything that may be pruned, the longest unused first.

    What a running product has unpacked is not among it.

    Raises:
        MachineError: the cache can't be read.
    """
    found: list[Entry] = []
    with translated_os_errors("read the cache"):
        for area in PRUNED_AREAS:
            folder = cache.root / area
            paths = folder.iterdir() if folder.is_dir() else ()
            found += [Entry(area, path, _size(path), used=path.lstat().st_mtime) for path in paths]
        for path, used in unpacked_directories(cache.root):
            if is_unused(path):
                found.append(Entry(_PRODUCTS, path, _size(path), used))
    return sorted(found, key=lambda entry: (entry.used, entry.path))


def prune(cache: Cache, unwanted: list[Entry]) -> list[Entry]:
    """Remove entries, and return those that are gone: what a product has begun to use meanwhile stays.

    Raises:
        MachineError: another process is using the cache, or an entry can't be removed.
    """
    try:
        with _locked(cache, fcntl.LOCK_EX | fcntl.LOCK_NB), translated_os_errors("prune the cache"):
            return [entry for entry in unwanted if _remove(entry)]
    except BlockingIOError as error:
        raise MachineError(
            "the cache is in use by another coachwhip", hint="try again when it has finished"
        ) from error


def _remove(entry: Entry) -> bool:
    if entry.area == _PRODUCTS:
        return remove_unused(entry.path, used=entry.used)
    if entry.path.is_dir() and not entry.path.is_symlink():
        remove_tree(entry.path)
    else:
        entry.path.unlink(missing_ok=True)
    return True


def _size(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(_size_of_file(item) for item in path.rglob("*") if not item.is_dir())


def _size_of_file(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # a product has just come and tidied up
        return 0
