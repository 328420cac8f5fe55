"""Where the command keeps things on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from coachwhip.effects.cache import Cache
from coachwhip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["absolute_links", "check_current_folder", "default_cache"]


def check_current_folder() -> None:
    """Refuse to work in a folder that has been removed.

    Raises:
        InputError: the current folder is gone.
    """
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise InputError("the current folder does not exist any more", hint="go to another one") from error


def default_cache() -> Cache:
    """Return the user's cache: `$COACHWHIP_CACHE_DIR`, or the platform's place for caches."""
    chosen = os.environ.get("COACHWHIP_CACHE_DIR")
    # Tools that are given paths in it run in other folders than this one.
    return Cache(
        Path(chosen).absolute() if chosen else platformdirs.user_cache_path("coachwhip", appauthor=False)
    )


def absolute_links(places: Iterable[str]) -> tuple[str, ...]:
    """Return places for --find-links with folders made absolute: tools run in other folders than this one."""
    return tuple(place if "://" in place else str(Path(place).resolve()) for place in places)
