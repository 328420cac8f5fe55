"""Where the command keeps things on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from coachwhip.effects.cache import Cache

__all__ = ["default_cache"]


def default_cache() -> Cache:
    """Return the user's cache: `$COACHWHIP_CACHE_DIR`, or the platform's place for caches."""
    chosen = os.environ.get("COACHWHIP_CACHE_DIR")
    return Cache(Path(chosen) if chosen else platformdirs.user_cache_path("coachwhip", appauthor=False))
