"""Builds the libraries that CPython's modules need, as static archives, and gets those that are carried."""

from __future__ import annotations

import shutil
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from coachwhip.errors import RuntimeBuildError
from coachwhip.runtime.sources import unpack
from coachwhip.runtime.toolchain import LIBRARY_FLAGS, SHARED_FLAGS

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.runtime.recipe import Build, SourceRecipe
    from coachwhip.runtime.workspace import Context

__all__ = ["build_libraries", "license_name", "unpack_source"]

#: Libraries built at the same time: `configure` scripts leave most of a machine idle.
_AT_ONCE = 2
_PLATFORM = ("--build=x86_64-linux-gnu", "--host=x86_64-linux-gnu")


def unpack_source(context: Context, source: SourceRecipe) -> Path:
    """Unpack a source and keep its licence files; return where it is."""
    directory = context.workspace.source(source.name)
    unpack(context.archives[source.name], directory)
    target = context.workspace.licenses / source.name
    target.mkdir(parents=True, exist_ok=True)
    for name in source.licenses:
        shutil.copyfile(directory / name, target / license_name(name))
    if text := source.license_from:
        lines = (directory / text.file).read_text().splitlines()[: text.lines]
        (target / "LICENSE").write_text("\n".join(lines) + "\n")
    for patch in source.patches:
        file = directory / patch.file
        try:
            file.write_text(patch.apply(file.read_text()))
        except (OSError, ValueError) as error:
            raise RuntimeBuildError(f"can't patch {source.title}: {error}") from error
    return directory


def license_name(path: str) -> str:
    """Return the name under which a licence file of a source is kept."""
    return path.replace("/", "-")


def build_libraries(context: Context) -> None:
    """Build what is not built yet, some at the same time, each after what it needs.

    Raises:
        RuntimeBuildError: a build failed.
    """
    waiting = [s for s in context.recipe.dependencies if not context.workspace.done(s.name)]
    running: dict[Future[None], SourceRecipe] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            while waiting or running:
                for source in [s for s in waiting if all(context.workspace.done(n) for n in s.needs)]:
                    waiting.remove(source)
                    running[pool.submit(_build, context, source)] = source
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    source = running.pop(future)
                    future.result()
                    context.workspace.finish(source.name)
                    context.progress.detail(f"built {source.title} {source.version}")
        except BaseException:
            context.jobs.stop()
            pool.shutdown(cancel_futures=True)
            raise


def _build(context: Context, source: SourceRecipe) -> None:
    directory = unpack_source(context, source)
    carried = context.workspace.carried
    carried.mkdir(parents=True, exist_ok=True)
    if source.build is None:
        for name, path in (source.ready or {}).items():
            shutil.copyfile(directory / path, carried / name)
    elif source.build.compile:
        _compile(context, source.name, source.build, directory)
        if source.build.shared:
            _compile_shared(context, source.name, source.build, directory)
    else:
        _configure_and_make(context, source, source.build, directory)
    shutil.rmtree(directory)


def _compile(context: Context, step: str, build: Build, directory: Path) -> None:
    """Compile a list of C files without any configuration."""
    prefix = context.workspace.dependencies
    for name in ("include", "lib"):
        (prefix / name).mkdir(parents=True, exist_ok=True)
    objects = [f"{number:03}.o" for number in range(len(build.compile))]
    for file, name in zip(build.compile, objects, strict=True):
        context.run(step, ["cc", *LIBRARY_FLAGS, *build.flags, "-c", file, "-o", name], directory)
    archive = prefix / "lib" / build.archive
    archive.unlink(missing_ok=True)
    context.run(step, ["ar", "rcsD", archive, *objects], directory)
    for header in build.headers:
        shutil.copy(directory / header, prefix / "include")


def _compile_shared(context: Context, step: str, build: Build, directory: Path) -> None:
    """Compile the same files as a shared library for products to carry."""
    link = [f"-Wl,-soname,{build.shared}", f"-Wl,--version-script={build.version_script}", *SHARED_FLAGS]
    output = context.workspace.carried / build.shared
    context.run(step, ["cc", *LIBRARY_FLAGS, *build.flags, *link, *build.compile, "-o", output], directory)


def _configure_and_make(context: Context, source: SourceRecipe, build: Build, directory: Path) -> None:
    """Configure and build in the source directory, so that file names in messages are relative."""
    prefix = context.workspace.dependencies
    env = {"CC": "cc", "AR": "ar", "RANLIB": "ranlib", "CFLAGS": " ".join((*LIBRARY_FLAGS, *build.flags))}
    if source.needs:
        env |= {"CPPFLAGS": f"-I{prefix}/include", "LDFLAGS": f"-L{prefix}/lib"}
    program = build.program or ("./configure", *_PLATFORM)
    context.run(source.name, [*program, *build.configure], directory, env)
    for args in build.make:
        context.run(source.name, ["make", f"-j{context.cpus}", *args], directory)
    for args in build.install:
        context.run(source.name, ["make", *args, f"DESTDIR={prefix.parent}"], directory)
