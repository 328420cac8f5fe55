"""The snapshot of a finished product, made anew in place."""

from __future__ import annotations

import contextlib
import filecmp
import os
import stat
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import translated_os_errors
from coachwhip.effects.prune import cache_in_use
from coachwhip.errors import ImageError, InputError
from coachwhip.image import read_image, snapshot_plan
from coachwhip.model import SnapshotWish
from coachwhip.pipeline.finish import place, strip, whole, with_snapshot
from coachwhip.snapshot import planned_wish

if TYPE_CHECKING:
    from coachwhip.effects.cache import Cache
    from coachwhip.image import ImageReader
    from coachwhip.progress import Progress
    from coachwhip.snapshot import Choice

__all__ = ["Rebake", "Rebaked", "rebake_product"]


@dataclass(frozen=True)
class Rebake:
    """A snapshot that is wanted of a product.

    Attributes:
        product: the file.
        train: argument lists to run it with; those of its last snapshot, or the usual ones, when empty.
        allow, deny, gate: as in the configuration, in addition to what was said for its last snapshot.
        keep: whether the product is to get it; otherwise it is only tried.
        cache: where it is made.
    """

    product: Path
    cache: Cache
    train: tuple[tuple[str, ...], ...] = ()
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    gate: tuple[str, ...] = ()
    keep: bool = True


@dataclass(frozen=True)
class Rebaked:
    """What came of it.

    Attributes:
        size: bytes of the product with the snapshot.
        choice: what is in the snapshot.
        memory: bytes of that.
        changed: whether the product differs from what it was, or would.
    """

    size: int
    choice: Choice
    memory: int
    changed: bool


def rebake_product(request: Rebake, progress: Progress) -> Rebaked:
    """Make the snapshot of a product, and put it into the product's file.

    Raises:
        InputError: there is no such file.
        ImageError: it is no product, or damaged.
        BuildError: no snapshot can be made of this program.
        MachineError: the file can't be read or replaced; it is then what it was.
    """
    # The file itself: a link to it stays one.
    product = Path(os.path.realpath(request.product))
    image = _opened(request.product)
    wish = _wish(image, request)
    with (
        cache_in_use(request.cache),
        tempfile.TemporaryDirectory(dir=request.cache.area("products")) as scratch,
    ):
        bare = Path(scratch) / "product"
        with progress.step("Making the snapshot"):
            strip(product, bare)
            baked = with_snapshot(bare, image.entry_module, wish)
        changed = not filecmp.cmp(whole(bare), product, shallow=False)
        if changed and request.keep:
            _replace(product, whole(bare))
        return Rebaked(whole(bare).stat().st_size, baked.choice, len(baked.memory), changed)


def _opened(path: Path) -> ImageReader:
    try:
        with translated_os_errors("read the product"):
            if not path.is_file():
                raise InputError(f"{path} is no file", hint="name a file that `coachwhip build` has written")
            image = read_image(path)
        image.verify()
        if image.hardening().position_independent:
            raise InputError(
                f"{path} is hardened: its addresses are never the same, and it can have no snapshot",
                hint="build it without `pie`",
            )
    except ImageError as error:
        raise ImageError(f"{path}: {error.message}", hint=error.hint) from error
    return image


def _wish(image: ImageReader, request: Rebake) -> SnapshotWish:
    """What was said for the last snapshot, and what is said now."""
    plan = snapshot_plan(image)
    wish = planned_wish(plan) if plan else SnapshotWish(rebake=image.settings.rebake)
    return replace(
        wish,
        train=request.train or wish.train,
        allow=_with(wish.allow, request.allow),
        deny=_with(wish.deny, request.deny),
        gate=_with(wish.gate, request.gate),
    )


def _with(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *new)))


def _replace(product: Path, whole: Path) -> None:
    """Put a file in the place of another one, with its owner and permissions."""
    before = product.stat()
    mode = stat.S_IMODE(before.st_mode)
    place(whole, product, mode=mode)
    with translated_os_errors("set the permissions of the product"):
        after = product.stat()
        if (after.st_uid, after.st_gid) != (before.st_uid, before.st_gid):
            with contextlib.suppress(PermissionError):
                os.chown(product, before.st_uid, before.st_gid)
        if stat.S_IMODE(product.stat().st_mode) != mode:
            product.chmod(mode)
