"""What is run, and what comes of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SIDES", "Outcome", "Run", "Suite", "load"]

#: A plain interpreter and a product, made of the same runtime.
SIDES = ("plain", "product")
_TABLE = Path(__file__).with_name("suites.toml")


@dataclass(frozen=True)
class Suite:
    """The tests of one package; `suites.toml` says what its fields mean."""

    name: str
    requirements: tuple[str, ...]
    imports: tuple[str, ...]
    tests: tuple[str, ...]
    installed: bool = False
    apart: bool = False
    arguments: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    explained: Mapping[str, str] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """The requirement whose tests these are, without extras."""
        name, equals, version = self.requirements[0].partition("==")
        return name.partition("[")[0] + equals + version


@dataclass(frozen=True)
class Outcome:
    """How one test ended: `passed`, `failed`, `error`, `skipped`, `xfailed` or `xpassed`; and why."""

    kind: str
    why: str = ""


@dataclass(frozen=True)
class Run:
    """One side's run of a suite.

    Attributes:
        outcomes: test id -> how it ended.
        statuses: how the processes ended, one for each part; pytest's 0 and 1 are usual.
        snapshot: what the product says of its start; empty for the plain side.
        versions: distribution -> version.
    """

    outcomes: Mapping[str, Outcome]
    statuses: tuple[int, ...]
    snapshot: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


def load(path: Path = _TABLE) -> dict[str, Suite]:
    """Return the suites by name."""
    suites = {}
    for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
        }
        suites[name] = Suite(name, **values)
    return suites
