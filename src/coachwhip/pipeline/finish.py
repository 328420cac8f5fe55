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

__all__ = ["attach", "place"]


def attach(bare: Path, baked: Baked, output: Path) -> None:
    """Write a product with its snapshot.

    Raises:
        MachineError: the disk is full or the like.
    """
    with (
        translated_os_errors("write the product"),
        atomic_write(output, mode=0o755) as temporary,
        bare.open("rb") as source,
        mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as product,
        temporary.open("wb") as stream,
    ):
        write_with_snapshot(product, baked.memory, stream)


def place(product: Path, output: Path) -> int:
    """Put a product where it is wanted, and return its size in bytes.

    Raises:
        MachineError: the disk is full or the like; what stood at `output` is then untouched.
    """
    with translated_os_errors("write the product"), atomic_write(output, mode=0o755) as temporary:
        shutil.copyfile(product, temporary)
    return product.stat().st_size
