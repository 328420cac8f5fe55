"""The layer of Coachwhip's own start-up code, `coachwhip.boot`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import coachwhip
from coachwhip.collect import RawFile, collect_files, library
from coachwhip.effects.source import list_names, read_bytes
from coachwhip.model import Distribution

if TYPE_CHECKING:
    from coachwhip.collect import Options
    from coachwhip.effects.cache import Cache
    from coachwhip.model import Layer
    from coachwhip.runtime import Runtime

__all__ = ["collect_boot"]

_BOOT = Path(__file__).resolve().parent.parent / "boot"


def collect_boot(runtime: Runtime, options: Options, cache: Cache) -> Layer:
    """Return the layer of the modules that every product starts with.

    Raises:
        BuildError: the runtime's interpreter does not work.
        MachineError: the disk is full or the like.
    """
    names = [name for name in list_names(_BOOT) if name.endswith(".py") and name != "__init__.py"]
    home = library(runtime.python_version)
    files = [RawFile(f"{home}/{name}", read_bytes(_BOOT / name)) for name in names]
    return collect_files(files, Distribution("coachwhip", coachwhip.__version__), runtime, options, cache)
