"""The last steps of a build: the product gets its snapshot and takes its place."""

from __future__ import annotations

import mmap
import shutil
from typing import TYPE_CHECKING

from coachwhip.effects.files import atomic_write, translated_os_errors
from coachwhip.errors import BuildError
from coachwhip.image import Extras, write_with_snapshot
from coachwhip.snapshot import bake, check, encode_plan

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.model import SnapshotWish
    from coachwhip.snapshot import Baked

__all__ = ["place", "strip", "whole", "with_snapshot"]


def whole(bare: Path) -> Path:
    """Return where the product with its snapshot is written: under the same name, as that may be printed."""
    return bare.parent / "whole" / bare.name


def with_snapshot(bare: Path, entry_module: str, wish: SnapshotWish) -> Baked:
    """Make the snapshot of a product, write the product with it to `whole(bare)`, and try it out.

    Args:
        bare: the product without one, alone in a folder in which it may write.
        entry_module: the module that its entry imports; empty when there is none.
        wish: what the app's configuration says.

    Raises:
        BuildError: no snapshot can be made of this program.
        MachineError: the disk is full or the like.
    """
    with translated_os_errors("write the product"):
        whole(bare).parent.mkdir(exist_ok=True)
    baked = bake(bare, entry_module, wish)
    try:
        _try_out(bare, baked)
    except BuildError:
        if not baked.choice.waiting:
            raise
        # The order in which its statements are executed may matter to this program.
        baked = bake(bare, entry_module, wish, waiting=False)
        _try_out(bare, baked)
    return baked


def _try_out(bare: Path, baked: Baked) -> None:
    extras = Extras(encode_plan(baked))
    _write(bare, whole(bare), baked.memory, extras)
    _write(bare, whole(bare), baked.memory, extras._replace(working_set=check(whole(bare), baked)))


def strip(product: Path, output: Path) -> None:
    """Write a product without its snapshot.

    Raises:
        ImageError: it is no product, or damaged.
        MachineError: the disk is full or the like.
    """
    _write(product, output, b"", Extras())


def _write(product: Path, output: Path, memory: bytes, extras: Extras) -> None:
    with (
        translated_os_errors("write the product"),
        atomic_write(output, mode=0o755) as temporary,
        product.open("rb") as source,
        mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as content,
        temporary.open("wb") as stream,
    ):
        write_with_snapshot(content, memory, stream, extras)


def place(product: Path, output: Path, *, mode: int = 0o755) -> int:
    """Put a product where it is wanted, and return its size in bytes.

    Raises:
        MachineError: the disk is full or the like; what stood at `output` is then untouched.
    """
    with translated_os_errors("write the product"), atomic_write(output, mode=mode) as temporary:
        shutil.copyfile(product, temporary)
    return product.stat().st_size
