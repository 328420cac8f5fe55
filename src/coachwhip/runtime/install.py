"""Installs a runtime: from a wheel if one fits, else from source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import remove_tree, translated_os_errors
from coachwhip.effects.jobs import Jobs
from coachwhip.effects.prune import cache_in_use
from coachwhip.errors import MachineError
from coachwhip.runtime.installed import find_recipe, runtime_name
from coachwhip.runtime.model import Runtime
from coachwhip.runtime.pack import fetch_packed
from coachwhip.runtime.toolchain import prepare_toolchain
from coachwhip.runtime.workspace import Context, Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coachwhip.effects.cache import Cache
    from coachwhip.progress import Progress
    from coachwhip.runtime.recipe import Recipe
    from coachwhip.runtime.sources import Archive

__all__ = ["install_runtime"]

#: What the build needs beside the zig compiler and Python.
_TOOLS = ("make", "perl", "sh", "sed", "awk", "grep")


def install_runtime(  # noqa: PLR0913  (independent choices, all but one by keyword)
    version: str | None,
    *,
    cache: Cache,
    environ: Mapping[str, str],
    progress: Progress,
    quick: bool = False,
    pie: bool = False,
    find_links: Sequence[str] = (),
    from_source: bool = False,
) -> Runtime:
    """Return a runtime, installed if need be. May be interrupted and called again: finished steps are kept.

    Args:
        version: Python version, `3.13`; None for the newest one.
        cache: where runtimes are installed and built.
        environ: environment of the command, for network settings.
        progress: hears of the steps.
        quick: compile without a profile: sooner ready, slower programs.
        pie: position-independent code, for hardened products.
        find_links: folders or pages that may have a ready-made runtime, beside the configured indexes.
        from_source: do not look for a ready-made runtime.

    Raises:
        ConfigError: there is no recipe for that version.
        NetworkError: sources can't be had.
        MachineError: a tool is missing, the disk is full.
        RuntimeBuildError: a step failed, or the result did not pass its gates.
    """
    recipe = find_recipe(version, pie=pie)
    name, digest = runtime_name(recipe, "quick" if quick else "pgo")
    target = cache.area("runtimes") / name
    lock = cache.area("locks") / f"runtime-{name}.lock"
    with (
        cache_in_use(cache),
        Jobs(lock, lambda: progress.note(f"waiting for another build of {name}")) as jobs,
    ):
        if target.is_dir():
            return Runtime.load(target)
        if not from_source and fetch_packed(
            recipe, digest, target, environ=environ, find_links=find_links, progress=progress
        ):
            return Runtime.load(target)
        _check_tools(environ)
        with progress.step("Getting the sources"):
            archives = _sources(recipe, cache, environ, progress)
        workspace = Workspace(cache.area("work") / name)
        toolchain = prepare_toolchain(cache, environ, pie=pie)
        cpus = len(os.sched_getaffinity(0))
        context = Context(recipe, not quick, archives, toolchain, workspace, jobs, progress, cpus)
        _build(context, digest, target)
    return Runtime.load(target)


# Most calls find their runtime installed. What only a first one needs is imported here.


def _sources(
    recipe: Recipe, cache: Cache, environ: Mapping[str, str], progress: Progress
) -> dict[str, Archive]:
    from coachwhip.runtime.sources import obtain_archives  # noqa: PLC0415

    return obtain_archives(recipe.sources, cache, environ, progress)


def _build(context: Context, digest: str, target: Path) -> None:
    from coachwhip.runtime.steps import build  # noqa: PLC0415

    context.workspace.root.mkdir(parents=True, exist_ok=True)
    build(context, digest)
    with translated_os_errors("install the runtime"):
        context.workspace.product.rename(target)
    remove_tree(context.workspace.root)


def _check_tools(environ: Mapping[str, str]) -> None:
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    missing = [t for t in _TOOLS if not any(os.access(Path(p) / t, os.X_OK) for p in path if p)]
    if missing:
        raise MachineError(
            f"building a runtime needs {', '.join(missing)}, which this machine lacks",
            hint="install them (Debian: `apt-get install make perl`), "
            "or install a ready-made runtime with --find-links",
        )
