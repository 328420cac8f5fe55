"""The position-independent runtime, which hardened products are made of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from coachwhip.cli.places import default_cache
from coachwhip.progress import Silent
from coachwhip.runtime import find_runtime, install_runtime

if TYPE_CHECKING:
    from coachwhip.runtime import Runtime

__all__ = ["movable_runtime"]


def movable_runtime() -> Runtime:
    """Return whichever is installed; else make one without a training run, which takes a few minutes."""
    cache = default_cache()
    found = find_runtime(None, cache=cache, pie=True)
    if found is not None:
        return found
    return install_runtime(None, cache=cache, environ=os.environ, progress=Silent(), quick=True, pie=True)
