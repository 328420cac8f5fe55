"""What is asked of a build and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.effects.cache import Cache
    from coachwhip.inputs import Given
    from coachwhip.resolve import Options
    from coachwhip.snapshot import Choice

__all__ = ["Product", "Request"]


@dataclass(frozen=True)
class Request:
    """A product that is wanted.

    Attributes:
        given: the app, and the options that override its configuration.
        output: file to write; None for `dist/NAME`.
        resolve: how to resolve and fetch; indexes and links come from the app's configuration.
        cache: where everything that can be used again is kept.
    """

    given: Given
    output: Path | None
    resolve: Options
    cache: Cache


@dataclass(frozen=True)
class Product:
    """A product that was written.

    Attributes:
        path: the file.
        size: bytes.
        arch: the machine that it runs on, `x86_64`.
        floor: the oldest glibc that it runs on, `2.17`.
        floor_set_by: what needs that.
        system: libraries that it needs of the machine beside glibc.
        snapshot: what is in its snapshot; None when it has none.
        snapshot_size: bytes of that.
    """

    path: Path
    size: int
    arch: str
    floor: str
    floor_set_by: str
    system: tuple[str, ...]
    snapshot: Choice | None = None
    snapshot_size: int = 0
