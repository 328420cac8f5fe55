"""The last step of a build: the product with its snapshot takes its place."""

from __future__ import annotations

import mmap
import shutil
from typing import TYPE_CHECKING

from coachwhip.effects.files import atomic_write, translated_os_errors
from coachwhip.image import write_with_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.snapshot import Baked

__all__ = ["finish"]


def finish(bare: Path, baked: Baked | None, output: Path) -> int:
    """Put a product where it is wanted, with its snapshot, and return its size in bytes.

    Raises:
        MachineError: the disk is full or the like; what stood at `output` is then untouched.
    """
    with translated_os_errors("write the product"), atomic_write(output, mode=0o755) as temporary:
        if baked is None:
            shutil.copyfile(bare, temporary)
            return bare.stat().st_size
        with (
            bare.open("rb") as source,
            mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as product,
            temporary.open("wb") as stream,
        ):
            return write_with_snapshot(product, baked.memory, stream)
