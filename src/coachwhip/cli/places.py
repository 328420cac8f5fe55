"""Where the command keeps things on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from coachwhip.effects.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["absolute_links", "default_cache"]


def default_cache() -> Cache:
    """Return the user's cache: `$COACHWHIP_CACHE_DIR`, or the platform's place for caches."""
    chosen = os.environ.get("COACHWHIP_CACHE_DIR")
    return Cache(Path(chosen) if chosen else platformdirs.user_cache_path("coachwhip", appauthor=False))


def absolute_links(places: Iterable[str]) -> tuple[str, ...]:
    """Return places for --find-links with folders made absolute: tools run in other folders than this one."""
    return tuple(place if "://" in place else str(Path(place).resolve()) for place in places)
