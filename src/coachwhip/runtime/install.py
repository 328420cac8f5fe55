"""Finds installed runtimes, and installs one: from a wheel if one fits, else from source, step by step."""

from __future__ import annotations

import importlib.metadata
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import remove_tree, translated_os_errors
from coachwhip.effects.jobs import Jobs
from coachwhip.effects.prune import cache_in_use
from coachwhip.errors import MachineError, RuntimeBuildError
from coachwhip.runtime.assemble import assemble
from coachwhip.runtime.cpython import compile_final, compile_instrumented, configure, train
from coachwhip.runtime.estimate import Pace, Step
from coachwhip.runtime.gates import check
from coachwhip.runtime.libraries import LIBRARY_FLAGS, build_libraries
from coachwhip.runtime.model import Runtime
from coachwhip.runtime.pack import fetch_packed
from coachwhip.runtime.recipe import Recipe, RecipeBook, parse_recipes, recipe_hash
from coachwhip.runtime.sources import obtain_archives
from coachwhip.runtime.toolchain import TARGET, prepare_toolchain, support_hash
from coachwhip.runtime.workspace import Context, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from coachwhip.effects.cache import Cache
    from coachwhip.progress import Progress

__all__ = ["find_runtime", "install_runtime", "installed_runtimes", "recipe_book", "remove_runtime"]

#: Count up when the way a runtime is built changes without a change of recipes, flags or support files.
_REVISION = "1"
_RECIPES = Path(__file__).with_name("recipes.toml")
#: What the build needs beside the zig compiler and Python.
_TOOLS = ("make", "perl", "sh", "sed", "awk", "grep")


def recipe_book() -> RecipeBook:
    """Return all recipes of this version of coachwhip."""
    return parse_recipes(_RECIPES.read_text())


def _name(recipe: Recipe, optimization: str) -> tuple[str, str]:
    """Return the name of a runtime's directory, and the recipe hash in it."""
    inputs = {
        "ziglang": importlib.metadata.version("ziglang"),
        "target": TARGET,
        "flags": " ".join(LIBRARY_FLAGS),
        "support": support_hash(),
        "revision": _REVISION,
    }
    digest = recipe_hash(recipe, optimization, inputs)
    return f"{recipe.abi}-{digest}", digest


def find_runtime(version: str | None, *, cache: Cache) -> Runtime | None:
    """Return the installed runtime that this version of coachwhip would build, or None.

    Args:
        version: Python version, `3.13`; None for the newest one.
        cache: where runtimes are installed.

    Raises:
        ConfigError: there is no recipe for that version.
        RuntimeBuildError: it is installed but damaged.
    """
    recipe = recipe_book().get(version)
    for optimization in ("pgo", "quick"):
        path = cache.area("runtimes") / _name(recipe, optimization)[0]
        if path.is_dir():
            return Runtime.load(path)
    return None


def installed_runtimes(cache: Cache) -> list[Runtime]:
    """Return all installed runtimes that can be read, those of older versions of coachwhip included."""
    found = []
    for path in sorted(cache.area("runtimes").iterdir()):
        try:
            found.append(Runtime.load(path))
        except RuntimeBuildError:
            continue
    return found


def remove_runtime(runtime: Runtime) -> None:
    """Remove an installed runtime; it disappears at once, not file by file."""
    with translated_os_errors("remove the runtime"):
        doomed = runtime.root.with_name(f".{runtime.root.name}.{os.getpid()}.removed")
        runtime.root.rename(doomed)
        remove_tree(doomed)


def install_runtime(  # noqa: PLR0913  (independent choices, all but one by keyword)
    version: str | None,
    *,
    cache: Cache,
    environ: Mapping[str, str],
    progress: Progress,
    quick: bool = False,
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
        find_links: folders or pages that may have a ready-made runtime, beside the configured indexes.
        from_source: do not look for a ready-made runtime.

    Raises:
        ConfigError: there is no recipe for that version.
        NetworkError: sources can't be had.
        MachineError: a tool is missing, the disk is full.
        RuntimeBuildError: a step failed, or the result did not pass its gates.
    """
    recipe = recipe_book().get(version)
    name, digest = _name(recipe, "quick" if quick else "pgo")
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
        workspace = Workspace(cache.area("work") / name)
        workspace.root.mkdir(parents=True, exist_ok=True)
        context = Context(
            recipe=recipe,
            pgo=not quick,
            archives=obtain_archives(recipe.sources, cache, environ, progress),
            toolchain=prepare_toolchain(cache, environ),
            workspace=workspace,
            jobs=jobs,
            progress=progress,
            cpus=len(os.sched_getaffinity(0)),
        )
        _build(context, digest)
        with translated_os_errors("install the runtime"):
            workspace.product.rename(target)
        remove_tree(workspace.root)
    return Runtime.load(target)


def _check_tools(environ: Mapping[str, str]) -> None:
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    missing = [t for t in _TOOLS if not any(os.access(Path(p) / t, os.X_OK) for p in path if p)]
    if missing:
        raise MachineError(
            f"building a runtime needs {', '.join(missing)}, which this machine lacks",
            hint="install them (Debian: `apt-get install make perl`), "
            "or install a ready-made runtime with --find-links",
        )


def _steps(context: Context, digest: str) -> list[tuple[Step, Callable[[], object]]]:
    """The steps of a build, in order, with what does them."""
    recipe = context.recipe
    missing = [source for source in recipe.dependencies if not context.workspace.done(source.name)]
    libraries = sum(source.seconds for source in missing)
    steps: list[tuple[Step, Callable[[], object]]] = [
        (
            Step("libraries", f"Building {len(missing)} libraries", libraries, 0.8),
            lambda: build_libraries(context),
        ),
        (Step("configure", "Configuring CPython", 34, 0), lambda: configure(context)),
    ]
    if context.pgo:
        steps += [
            (
                Step("instrument", "Compiling CPython for training", 90, 0.9),
                lambda: compile_instrumented(context),
            ),
            (Step("train", "Training", 35, 0.8), lambda: train(context)),
        ]
    return [
        *steps,
        (Step("compile", "Compiling CPython", 105, 0.9), lambda: compile_final(context)),
        (Step("assemble", "Putting the runtime together", 8, 0), lambda: assemble(context, digest)),
        (
            Step("check", "Testing the runtime", 60, 0.7),
            lambda: check(context, Runtime.load(context.workspace.product)),
        ),
    ]


def _build(context: Context, digest: str) -> None:
    """Do the steps that are not done yet."""
    steps = [item for item in _steps(context, digest) if not context.workspace.done(item[0].name)]
    pace = Pace(context.cpus)
    title = f"Building CPython {context.recipe.source.version} for any glibc since 2.17"
    with context.progress.step(title, estimate=pace.seconds(*(step for step, _ in steps))):
        for step, action in steps:
            started = time.monotonic()
            with context.progress.step(step.title, estimate=pace.seconds(step)):
                action()
            pace.learn(step, time.monotonic() - started)
            context.workspace.finish(step.name)
