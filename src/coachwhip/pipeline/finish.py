"""The last steps of a build: the product gets its snapshot and takes its place."""

from __future__ import annotations

import mmap
import shutil
from typing import TYPE_CHECKING

from coachwhip.effects.files import atomic_write, translated_os_errors
from coachwhip.image import write_with_snapshot
from coachwhip.snapshot import bake, check, encode_plan

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.model import SnapshotWish
    from coachwhip.snapshot import Baked

__all__ = ["place", "strip", "with_snapshot"]


def with_snapshot(bare: Path, output: Path, entry_module: str, wish: SnapshotWish) -> Baked:
    """Make the snapshot of a product, write the product with it, and try it out.

    Args:
        bare: the product without one, alone in a folder in which it may write.
        output: file to write, in the same folder.
        entry_module: the module that its entry imports; empty when there is none.
        wish: what the app's configuration says.

    Raises:
        BuildError: no snapshot can be made of this program.
        MachineError: the disk is full or the like.
    """
    baked = bake(bare, entry_module, wish)
    _write(bare, output, baked.memory, encode_plan(baked))
    check(output, wish)
    return baked


def strip(product: Path, output: Path) -> None:
    """Write a product without its snapshot.

    Raises:
        ImageError: it is no product, or damaged.
        MachineError: the disk is full or the like.
    """
    _write(product, output, b"", b"")


def _write(product: Path, output: Path, memory: bytes, plan: bytes) -> None:
    with (
        translated_os_errors("write the product"),
        atomic_write(output, mode=0o755) as temporary,
        product.open("rb") as source,
        mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as content,
        temporary.open("wb") as stream,
    ):
        write_with_snapshot(content, memory, stream, plan)


def place(product: Path, output: Path, *, mode: int = 0o755) -> int:
    """Put a product where it is wanted, and return its size in bytes.

    Raises:
        MachineError: the disk is full or the like; what stood at `output` is then untouched.
    """
    with translated_os_errors("write the product"), atomic_write(output, mode=mode) as temporary:
        shutil.copyfile(product, temporary)
    return product.stat().st_size
