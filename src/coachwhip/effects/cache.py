"""The user's cache: a few named areas, each entry a name that says its content.

Entries appear by rename (`effects.files`), are touched when used, and are pruned by age. A lock file
per entry lets one process build what the others wait for.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coachwhip.effects.files import translated_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Cache"]


@dataclass(frozen=True)
class Cache:
    """A cache below one root directory.

    Areas: `runtimes`, `work` (unfinished runtime builds), `sources`, `stubs`, `layers`, `wheels`, `zig`.
    """

    root: Path

    def area(self, name: str) -> Path:
        """Return the directory of one area, made when missing."""
        path = self.root / name
        with translated_os_errors("create the cache directory"):
            path.mkdir(parents=True, exist_ok=True)
        return path

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold an exclusive lock called `name`; waits for other processes that hold it.

        The lock is the kernel's (flock): it goes with the process, however that ends.
        """
        path = self.area("locks") / f"{name}.lock"
        with translated_os_errors("lock the cache"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
