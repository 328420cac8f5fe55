"""What the user pointed at, understood."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.config import Config
    from coachwhip.model import EntryPoint

__all__ = ["AppSource", "Kind"]


class Kind(Enum):
    """What an app is given as."""

    PROJECT = "project"
    SCRIPT = "script"
    WHEEL = "wheel"
    REQUIREMENT = "requirement"
    REQUIREMENTS = "requirements"


@dataclass(frozen=True)
class AppSource:
    """An app as the user gave it.

    Attributes:
        kind: what it is.
        shown: how messages call it: the path or requirement as the user wrote it.
        config: its configuration with the options of the command line laid over it.
        distribution: normalised name of the distribution that is the app; empty for a script and for
            requirements files, where there is none.
        version: its version as far as it is known without building or fetching it.
        path: absolute path of the project folder, the script or the wheel; None for requirements.
        requirements: what must be resolved: requirement strings. A wheel is among them as
            `name @ file:///...`; a project folder is not, for it is built by itself.
        requirement_files: files of further ones, as for pip's `-r`.
        entry: what runs; None when only the distribution's wheel can tell, see `choose_entry`.
    """

    kind: Kind
    shown: str
    config: Config
    distribution: str = ""
    version: str = ""
    path: Path | None = None
    requirements: tuple[str, ...] = ()
    requirement_files: tuple[Path, ...] = ()
    entry: EntryPoint | None = None
