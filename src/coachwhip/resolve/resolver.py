"""Requirements -> `Lock`: policy only; uv is asked in `compile`, files are chosen in `select`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from coachwhip.errors import CoachwhipError, ResolutionError
from coachwhip.progress import Silent
from coachwhip.resolve.compile import Query, compile_lock, every_file_of, export_lock
from coachwhip.resolve.hashes import checked, wanted_hashes
from coachwhip.resolve.model import Kind, Lock, Options, Project
from coachwhip.resolve.select import Misfit, Selection, parse_lock, select, wheels_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from coachwhip.model import Target
    from coachwhip.progress import Progress
    from coachwhip.resolve.model import BuildPython

__all__ = ["resolve"]

#: Newer than any glibc of a machine in use; only asked for to explain why nothing fits.
_NEWEST_GLIBC = (2, 40)
_TAGS_SHOWN = 5


def resolve(  # noqa: PLR0913 - each is told apart by name
    requirements: Sequence[str],
    target: Target,
    python: BuildPython,
    *,
    requirement_files: Sequence[Path] = (),
    project: Project | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Lock:
    """Choose exactly the files to install for `target`.

    A project's `pylock.toml` is used when there is one, or else its `uv.lock`; without either, uv
    resolves anew and decides on the versions. The project itself is not part of the result.

    Args:
        requirements: requirement strings (PEP 508; `name @ file:///...whl` for local wheels).
        target: where the product runs. Where it is not firm, the result's may have a newer glibc.
        python: the interpreter that the product gets.
        requirement_files: files as for pip's `-r`.
        project: a folder whose dependencies are wanted too.
        options: indexes, constraints and the like.
        progress: hears what is going on.

    Raises:
        ResolutionError: requirements exclude each other, nothing fits the target, or a file is none of those
            whose hashes the requirements allow.
        NetworkError: an index can't be reached.
        InputError: a lock file is not valid.
    """
    options = options or Options()
    progress = progress or Silent()
    query = Query(target, python, options, tuple(requirements), tuple(requirement_files), project)
    if query.empty:
        return Lock(target, ())
    with progress.step("Resolving requirements"):
        lock = _locked_or_new(query)
        wanted = wanted_hashes((*requirement_files, *options.constraint_files))
        return replace(lock, files=checked(lock.files, wanted))


def _locked_or_new(query: Query) -> Lock:
    locked = _from_lock_file(query) if query.project and not query.options.ignore_lock else None
    if locked is None:
        return _resolve_anew(query, ())
    extra = replace(query, project=None)
    if extra.empty:
        return locked
    # What is asked for beside a locked project must agree with what is locked.
    pins = [f"{file.name}=={file.version}" for file in locked.files if file.version]
    return _merged(locked, _resolve_anew(extra, pins))


def _from_lock_file(query: Query) -> Lock | None:
    project = query.project
    if project is None:
        return None
    ready = query.directory / "pylock.toml"
    if ready.is_file():
        text, path = ready.read_text(encoding="utf-8"), ready
    elif (query.directory / "uv.lock").is_file():
        path = query.directory / "uv.lock"
        text = export_lock(query, project)
    else:
        return None
    lock = parse_lock(text, str(path))
    for extra in project.extras:
        if path is ready and canonicalize_name(extra) not in (lock.extras or ()):
            raise ResolutionError(
                f"{path} was not locked with the extra {extra!r}", hint="lock it again with that extra"
            )
    selection = select(
        lock,
        query.target,
        query.python.python_version,
        query.directory,
        from_source=query.options.from_source,
        extras=[canonicalize_name(extra) for extra in project.extras],
        groups=project.groups or None,
    )
    if selection.misfits:
        raise _needs_newer_glibc(query, selection.misfits, newest_fitting={})
    return _lock(query, selection, text, str(path))


def _lock(query: Query, selection: Selection, text: str, origin: str = "uv") -> Lock:
    """Make the result, its target raised to what the chosen wheels are for."""
    glibc = max([query.target.glibc, *(item.glibc for item in selection.newer)])
    target = replace(query.target, glibc=glibc)
    return Lock(target, selection.files, text, origin, selection.newer)


def _merged(first: Lock, second: Lock) -> Lock:
    names = {file.name for file in first.files}
    files = [*first.files, *(file for file in second.files if file.name not in names)]
    newer = [*first.newer, *(item for item in second.newer if item.name not in names)]
    glibc = max([first.target.glibc, *(item.glibc for item in newer)])
    return replace(
        first,
        target=replace(first.target, glibc=glibc),
        files=tuple(sorted(files, key=lambda file: file.name)),
        newer=tuple(newer),
    )


def _resolve_anew(query: Query, pins: Sequence[str]) -> Lock:
    try:
        text = compile_lock(query, constraints=pins)
    except ResolutionError as error:
        if not query.target.firm:
            raise
        raise _explained(query, error) from error
    selection = _looked_up(query, _select(query, text))
    if selection.misfits:
        raise _needs_newer_glibc(query, selection.misfits, _newest_fitting(query, selection.misfits))
    return _lock(query, selection, text)


def _select(query: Query, text: str) -> Selection:
    return select(
        parse_lock(text, "uv's resolution"),
        query.target,
        query.python.python_version,
        query.directory,
        from_source=query.options.from_source,
    )


def _explained(query: Query, error: ResolutionError) -> ResolutionError:
    """Return an error that names the glibc with which the resolution would succeed, if there is one."""
    wider = replace(query, target=replace(query.target, glibc=_NEWEST_GLIBC))
    try:
        selection = _select(query, compile_lock(wider))
    except CoachwhipError:
        return error
    if not selection.misfits:
        return error
    explained = _needs_newer_glibc(query, selection.misfits, newest_fitting={})
    explained.detail = error.detail
    return explained


def _looked_up(query: Query, selection: Selection) -> Selection:
    """Look up which wheels there are of what would be built from source.

    uv leaves wheels that do not fit out of its answer. A project with a wheel for a newer glibc becomes a
    misfit: building silently what has a wheel would often take long and give something lesser (numpy
    without its BLAS, for example). The others keep their wheels' tags as the reason for being built.
    """
    built = [
        file
        for file in selection.files
        if file.kind is Kind.SDIST and file.version and file.name not in query.options.from_source
    ]
    if not built:
        return selection
    try:
        text = every_file_of(query, [f"{file.name}=={file.version}" for file in built])
        found = _select(query, text)
    except CoachwhipError:
        # Only a better message depends on it.
        return selection
    lock = parse_lock(text, "uv's answer")
    misfits = {misfit.name for misfit in found.misfits}
    reasons = {file.name: _reason(query.target, wheels_of(lock, file.name)) for file in built}
    files = tuple(
        replace(file, reason=reasons.get(file.name, ""))
        for file in selection.files
        if file.name not in misfits
    )
    return replace(selection, files=files, misfits=(*selection.misfits, *found.misfits))


def _reason(target: Target, tags: Sequence[str]) -> str:
    if not tags:
        return "there are no wheels of it"
    near = [name for name in tags if name.startswith(target.abi)] or list(tags)
    more = f" and {len(tags) - _TAGS_SHOWN} more" if len(tags) > _TAGS_SHOWN else ""
    return f"its wheels do not fit: {', '.join(near[:_TAGS_SHOWN])}{more}"


def _newest_fitting(query: Query, misfits: Sequence[Misfit]) -> dict[str, str]:
    """Return the newest releases, by name, with which everything would have wheels for the target."""
    names = [misfit.name for misfit in misfits]
    try:
        selection = _select(query, compile_lock(query, only_wheels_of=names))
    except CoachwhipError:
        return {}
    return {file.name: file.version for file in selection.files if file.name in names}


def _needs_newer_glibc(
    query: Query, misfits: Sequence[Misfit], newest_fitting: dict[str, str]
) -> ResolutionError:
    needed = max(misfit.glibc for misfit in misfits)
    first = misfits[0]
    more = f" (and {len(misfits) - 1} more)" if len(misfits) > 1 else ""
    lines = [f"{misfit.name}=={misfit.version}: {', '.join(misfit.tags)}" for misfit in misfits]
    accept = "it" if len(misfits) == 1 else "them"
    hint = f"use --glibc {needed[0]}.{needed[1]} to accept {accept}"
    if newest_fitting:
        older = " ".join(f"'{name}<={version}'" for name, version in sorted(newest_fitting.items()))
        has = "which has a wheel" if len(newest_fitting) == 1 else "which have wheels"
        hint += f", or ask for {older}, {has} for this target"
    elif len(misfits) == 1:
        hint += f", or --no-binary {first.name} to build it from source"
    return ResolutionError(
        f"{first.name}=={first.version}{more} has wheels only for a newer glibc than {query.target} promises",
        hint=hint,
        detail="wheels that exist:\n" + "\n".join(lines),
    )
