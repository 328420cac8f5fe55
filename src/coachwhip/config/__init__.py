"""`[tool.coachwhip]` -> `Config`; the keys themselves are in `coachwhip.config.keys`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from coachwhip.config.keys import KEYS, OLDEST_GLIBC, Key
from coachwhip.errors import ConfigError
from coachwhip.model import Settings, SnapshotWish, Target

__all__ = ["Config", "merged", "parse_config"]

_BY_NAME = {key.name: key for key in KEYS}

_USUAL_SNAPSHOT = SnapshotWish()


@dataclass(frozen=True)
class Config:
    """What a build is told; `coachwhip.config.keys` documents each attribute."""

    script: str = ""
    entry: str = ""
    name: str = ""
    python: tuple[int, int] = (3, 13)
    glibc: tuple[int, int] | None = None
    extras: tuple[str, ...] = ()
    with_: tuple[str, ...] = ()
    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    sources: bool = True
    prune: bool = False
    interpreter: bool = True
    environment: bool = False
    xoptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    optimize: int = 0
    snapshot: SnapshotWish = _USUAL_SNAPSHOT
    pie: bool = False

    @property
    def target(self) -> Target:
        """Where the product must run."""
        return Target(python=self.python, glibc=self.glibc or OLDEST_GLIBC, firm=self.glibc is not None)

    @property
    def settings(self) -> Settings:
        """How the product behaves."""
        return Settings(
            interpreter=self.interpreter,
            environment=self.environment,
            rebake=self.snapshot.rebake and not self.pie,
            xoptions=self.xoptions,
            warnings=self.warnings,
            optimize=self.optimize,
        )


def parse_config(table: object, origin: str) -> Config:
    """Check a `[tool.coachwhip]` table and make a Config of it.

    Args:
        table: the decoded table.
        origin: the file it stands in, for messages.

    Raises:
        ConfigError: an unknown key, with the nearest known one; a value of the wrong type or out of range.
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f"{origin}: tool.coachwhip is not a table", hint="write [tool.coachwhip]")
    where = f"{origin}, [tool.coachwhip]"
    values: dict[str, Any] = {
        _known(name, where).attribute: _value(name, table[name], where) for name in table
    }
    return _checked(Config(**values), where)


def merged(config: Config, options: Mapping[str, Any]) -> Config:
    """Lay options of the command line over a configuration.

    Args:
        config: from a file.
        options: values by the names of `coachwhip.config.keys`. None, an empty list or an absent name
            change nothing. Lists are added to the configured ones, other values replace them.

    Raises:
        ConfigError: a value that its key can't have.
    """
    changes: dict[str, Any] = {}
    for name, given in options.items():
        if given is None or given in ([], ()):
            continue
        where = "the command line"
        key = _known(name, where)
        value: Any = _value(name, given, where)
        changes[key.attribute] = (*getattr(config, key.attribute), *value) if key.many else value
    # A choice made on the command line replaces the configured one, whichever of the two ways it takes.
    if "script" in changes and "entry" not in changes:
        changes["entry"] = ""
    if "entry" in changes and "script" not in changes:
        changes["script"] = ""
    return _checked(replace(config, **changes), "the command line")


def _known(name: str, where: str) -> Key:
    if name in _BY_NAME:
        return _BY_NAME[name]
    # Underscores and capitals are slips, not different words.
    near = difflib.get_close_matches(str(name).lower().replace("_", "-"), _BY_NAME, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(_BY_NAME))}"
    raise ConfigError(f"{where}: unknown key {name!r}", hint=hint)


def _value(name: str, value: object, where: str) -> object:
    key = _BY_NAME[name]
    try:
        return key.kind.parse(value)
    except ValueError as error:
        reason = str(error) or f"it must be {key.kind.label}"
        raise ConfigError(
            f"{where}: {name} can't be {value!r}: {reason}", hint=f"for example: {name} = {key.example}"
        ) from error


def _checked(config: Config, where: str) -> Config:
    if config.script and config.entry:
        raise ConfigError(
            f"{where}: both script and entry are given",
            hint="keep script for a console script, entry for module:function",
        )
    return config
