"""Checked wheels in the cache."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coachwhip.effects.files import atomic_directory, remove_tree, translated_os_errors
from coachwhip.model import Wheel
from coachwhip.resolve.wheelfile import WheelFacts, read_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.effects.cache import Cache

__all__ = ["WheelStore", "wheel_of"]

_AREA = "wheels"
_FACTS = "facts.json"


@dataclass(frozen=True)
class WheelStore:
    """Checked wheels in the cache, each in a directory of its own beside what was found in it."""

    cache: Cache

    def find(self, key: str) -> tuple[Path, WheelFacts] | None:
        """Return a stored wheel; its key is its sha256, or `built-...` for what it was built from."""
        directory = self.cache.area(_AREA) / key
        try:
            facts = WheelFacts.parse(json.loads((directory / _FACTS).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        path = directory / facts.filename
        if not path.is_file():
            return None
        # Pruning goes by age since the last use.
        with contextlib.suppress(OSError):
            os.utime(directory)
        return path, facts

    def add(self, key: str, wheel: Path) -> tuple[Path, WheelFacts]:
        """Check a wheel file and store a copy of it; `key` as for `find`, its sha256 when empty.

        Raises:
            InputError: it is damaged.
            MachineError: the cache can't be written.
        """
        facts = read_wheel(wheel)
        directory = self.cache.area(_AREA) / (key or facts.sha256)
        if self.find(directory.name) is None:
            # An entry that can't be read is a damaged one, and would be kept by the rename below.
            remove_tree(directory)
        with translated_os_errors("store a wheel in the cache"), atomic_directory(directory) as temporary:
            shutil.copyfile(wheel, temporary / wheel.name)
            (temporary / _FACTS).write_text(json.dumps(facts.document()))
        return directory / facts.filename, facts


def wheel_of(path: Path, facts: WheelFacts, origin: str) -> Wheel:
    """Return the `Wheel` for a stored file."""
    return Wheel(facts.name, facts.version, path, facts.sha256, facts.tags, origin)
