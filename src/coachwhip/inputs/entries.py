"""Which console script or function a product runs. Pure."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from coachwhip.config.keys import file_name, split_entry
from coachwhip.errors import InputError
from coachwhip.inputs.model import Kind
from coachwhip.model import EntryPoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coachwhip.config import Config
    from coachwhip.inputs.model import AppSource
    from coachwhip.inputs.scripts import Script

__all__ = ["choose_entry", "configured_entry", "pick_script", "script_entry"]


def script_entry(name: str, value: Script, config: Config, where: str) -> EntryPoint:
    """Make an entry point of a script's name and its text, or its `module:function [extras]`.

    Raises:
        InputError: the value is none, or the name none for a file.
    """
    try:
        product = file_name(config.name or name)
    except ValueError as error:
        raise InputError(
            f"{where}: the console script {name!r} can't be the name of a file",
            hint="name what to run with --entry module:function",
        ) from error
    if isinstance(value, bytes):
        return EntryPoint(product, source=value)
    try:
        module, attribute = split_entry(value.partition("[")[0])
    except ValueError as error:
        raise InputError(
            f"{where}: the console script {name} is {value!r}, which is not module:function",
            hint="correct it, or name what to run with --entry module:function",
        ) from error
    return EntryPoint(product, module, attribute)


def configured_entry(config: Config) -> EntryPoint | None:
    """Return the entry point that the configuration names outright."""
    if not config.entry:
        return None
    module, attribute = split_entry(config.entry)
    return EntryPoint(config.name or module.partition(".")[0], module, attribute)


def pick_script(scripts: Mapping[str, Script], config: Config, distribution: str, where: str) -> EntryPoint:
    """Choose one of the scripts: the named one, the only one, or the one named like the distribution.

    Raises:
        InputError: there is none, or it is not clear which one.
    """
    if config.script:
        if config.script in scripts:
            return script_entry(config.script, scripts[config.script], config, where)
        raise _no_such_script(config.script, scripts, where)
    if not scripts:
        raise InputError(
            f"{where} has no console script, so it is not clear what to run",
            hint="name what to run with --entry module:function, or --entry module",
        )
    like_project = [name for name in sorted(scripts) if canonicalize_name(name) == distribution]
    names = like_project or list(scripts)
    if len(names) > 1:
        raise InputError(
            f"{where} has several console scripts: {', '.join(sorted(scripts))}",
            hint=f"choose one with --script, for example --script {min(scripts)}",
        )
    return script_entry(names[0], scripts[names[0]], config, where)


def choose_entry(app: AppSource, scripts: Mapping[str, Mapping[str, Script]]) -> EntryPoint:
    """Return what runs, once the wheels are there.

    Args:
        app: what the user pointed at.
        scripts: of every distribution in the product, by its normalised name. A project whose name only
            its build backend knows is the first one.

    Raises:
        InputError: there is no script to run, or it is not clear which one.
    """
    if app.entry is not None:
        return app.entry
    distribution = app.distribution
    if app.kind is Kind.PROJECT and not distribution:
        distribution = next(iter(scripts), "")
    own = scripts.get(distribution, {})
    if app.config.script and app.config.script not in own:
        # The wanted script may come from another distribution: `--with`, or a dependency's command.
        others = [name for name in sorted(scripts) if app.config.script in scripts[name]]
        if others:
            return pick_script(scripts[others[0]], app.config, others[0], others[0])
        if not own:
            everything: dict[str, Script] = {script: "" for names in scripts.values() for script in names}
            raise _no_such_script(app.config.script, everything, app.shown)
    return pick_script(own, app.config, distribution, app.shown)


def _no_such_script(wanted: str, scripts: Mapping[str, Script], where: str) -> InputError:
    if not scripts:
        hint = "it has none; name what to run with --entry module:function"
    elif near := difflib.get_close_matches(wanted, scripts, n=1):
        hint = f"did you mean {near[0]}?"
    else:
        hint = f"it has {', '.join(sorted(scripts))}"
    return InputError(f"{where} has no console script {wanted}", hint=hint)
