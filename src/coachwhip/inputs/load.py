"""Read what the user pointed at and understand it."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from coachwhip.config import Config, merged, parse_config
from coachwhip.effects.source import list_names, list_tree, read_bytes, wheel_files
from coachwhip.errors import ConfigError, InputError, MachineError
from coachwhip.inputs.detect import Found, classify, looks_like_path, missing_path, parse_requirement
from coachwhip.inputs.entries import configured_entry, pick_script
from coachwhip.inputs.inline import parse_inline
from coachwhip.inputs.model import AppSource, Kind
from coachwhip.inputs.project import ProjectFacts, check_python, parse_project
from coachwhip.inputs.scripts import offered_scripts, tells_scripts
from coachwhip.inputs.syntax import own_modules
from coachwhip.model import EntryPoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coachwhip.inputs.scripts import Script

__all__ = ["Given", "load_app", "own_sources", "wheel_scripts"]

_NOT_SOURCE = frozenset({".git", ".hg", ".venv", "venv", "node_modules", "build", "dist", "__pycache__"})


@dataclass(frozen=True)
class Given:
    """What stands on the command line.

    Attributes:
        app: a path or requirement; None for the current folder, or for nothing but requirements files.
        options: of the configuration, by the names of its keys; see `coachwhip.config.merged`.
        requirement_files: as for pip's `-r`.
    """

    app: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    requirement_files: tuple[Path, ...] = ()


def load_app(given: Given) -> AppSource:
    """Find out what the user means, and read what can be known before anything is fetched or built.

    Raises:
        InputError: there is no such thing, it is no app, it does not say what to run, or it needs another
            Python.
        ConfigError: its configuration or an option is wrong.
        MachineError: a file can't be read.
    """
    for path in given.requirement_files:
        if _look(str(path)) is None:
            raise missing_path(str(path), list_names(path.parent))
    app = _load(given)
    files = tuple(path.resolve() for path in given.requirement_files)
    return replace(
        app,
        requirements=(*app.requirements, *_extra_requirements(app.config)),
        requirement_files=files,
    )


def _load(given: Given) -> AppSource:
    if given.app is None and given.requirement_files:
        return _requirement_files(given)
    shown = given.app or "."
    found = _look(shown)
    if found is None and looks_like_path(shown):
        raise missing_path(shown, list_names(Path(shown).parent))
    loaders = {
        Kind.PROJECT: _project,
        Kind.SCRIPT: _script,
        Kind.WHEEL: _wheel,
        Kind.REQUIREMENT: _requirement,
    }
    return loaders[classify(shown, found)](shown, given.options)


def _look(shown: str) -> Found | None:
    path = Path(shown)
    try:
        if path.is_dir():
            return Found(directory=True, names=tuple(list_names(path)))
        if path.is_file():
            return Found(directory=False, head=read_bytes(path)[:128])
        if path.exists() or path.is_symlink():
            what = "a link that leads nowhere" if path.is_symlink() else "no ordinary file"
            raise InputError(f"{shown} is {what}", hint="name an ordinary file, or a folder")
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise MachineError(f"can't look at {shown}: {error.strerror}") from error
    return None


def _project(shown: str, options: Mapping[str, Any]) -> AppSource:
    folder = Path(shown)
    file = folder / "pyproject.toml"
    facts = (
        parse_project(read_bytes(file), str(file)) if file.is_file() else ProjectFacts("", "", "", None, {})
    )
    config = merged(_configured(facts.tool, file), options)
    what = f"the project {facts.name or shown}"
    check_python(facts.requires_python, config.python, what)
    entry = configured_entry(config)
    if entry is None and facts.scripts is not None:
        entry = pick_script(facts.scripts, config, facts.name, str(file))
    return AppSource(Kind.PROJECT, shown, config, facts.name, facts.version, folder.resolve(), entry=entry)


def _script(shown: str, options: Mapping[str, Any]) -> AppSource:
    path = Path(shown)
    source = read_bytes(path)
    inline = parse_inline(source, shown)
    config = merged(_configured(inline.tool or {}, path), options)
    if config.entry or config.script:
        raise ConfigError(
            f"{shown} is a script, which runs from its first line; an entry point can't be chosen",
            hint="leave out script and entry",
        )
    check_python(inline.requires_python, config.python, shown)
    for requirement in inline.dependencies:
        parse_requirement(requirement, shown)
    entry = EntryPoint(config.name or path.stem, source=source)
    return AppSource(
        Kind.SCRIPT, shown, config, path=path.resolve(), requirements=inline.dependencies, entry=entry
    )


def _wheel(shown: str, options: Mapping[str, Any]) -> AppSource:
    path = Path(shown).resolve()
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise InputError(
            f"{shown} has no name that a wheel can have: {error}",
            hint="give the file the name it was built with",
        ) from error
    config = merged(Config(), options)
    entry = configured_entry(config)
    scripts = wheel_scripts(path)
    if entry is None and (not config.script or config.script in scripts):
        entry = pick_script(scripts, config, name, shown)
    extras = f"[{','.join(config.extras)}]" if config.extras else ""
    requirement = f"{name}{extras} @ {path.as_uri()}"
    return AppSource(Kind.WHEEL, shown, config, name, str(version), path, (requirement,), entry=entry)


def _requirement(shown: str, options: Mapping[str, Any]) -> AppSource:
    requirement = parse_requirement(shown)
    config = merged(Config(), options)
    requirement.extras |= set(config.extras)
    return AppSource(
        Kind.REQUIREMENT,
        shown,
        config,
        canonicalize_name(requirement.name),
        requirements=(str(requirement),),
        entry=configured_entry(config),
    )


def _requirement_files(given: Given) -> AppSource:
    shown = ", ".join(str(path) for path in given.requirement_files)
    config = merged(Config(), given.options)
    if not config.entry and not config.script:
        raise InputError(
            f"{shown} says what to install and not what to run",
            hint="name what to run with --entry module:function or --script NAME",
        )
    if config.extras:
        raise ConfigError("extras belong to a project", hint="write them into the requirements file")
    return AppSource(Kind.REQUIREMENTS, shown, config, entry=configured_entry(config))


def _configured(tool: Mapping[str, Any], file: Path) -> Config:
    """Read `[tool.coachwhip]`; relative places in it are relative to its file."""
    config = parse_config(tool.get("coachwhip", {}), str(file))
    links = (link if "://" in link else str((file.parent / link).resolve()) for link in config.find_links)
    return replace(config, find_links=tuple(links))


def _extra_requirements(config: Config) -> tuple[str, ...]:
    for requirement in config.with_:
        parse_requirement(requirement, "with")
    return config.with_


def wheel_scripts(wheel: Path) -> dict[str, Script]:
    """Return what a wheel offers to run, by its name: entry points, and scripts that it brings as files.

    Raises:
        InputError: it is no wheel, or its entry points can't be understood.
        MachineError: it can't be read.
    """
    package = wheel.name.partition("-")[0].lower()
    try:
        return offered_scripts(wheel_files(wheel, tells_scripts), package)
    except ValueError as error:
        raise InputError(f"the entry points of {wheel.name} can't be understood: {error}") from error


def own_sources(app: AppSource) -> dict[str, bytes]:
    """Return the app's own modules, by the path that the user knows them by.

    Those of the package that the entry point is in; none for wheels and requirements, which others have
    built before.

    Raises:
        MachineError: one can't be read.
    """
    if app.kind is Kind.SCRIPT and app.entry is not None and app.entry.source is not None:
        return {app.shown: app.entry.source}
    if app.kind is not Kind.PROJECT or app.path is None:
        return {}
    module = app.entry.module if app.entry else app.distribution.replace("-", "_")
    paths = own_modules(list(list_tree(app.path, _NOT_SOURCE)), module)
    return {str(Path(app.shown) / path): read_bytes(app.path / path) for path in paths}
