"""Sources -> a wheel for the target, built once per content and kept.

The back end runs under the product's interpreter, in an environment that has what it asks for and in a
copy of the sources below one fixed directory. It sees the few variables of `buildenv` and nothing else of
the machine, so that the cache entry's name really says what the wheel was made of.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from coachwhip.effects.download import sha256_of
from coachwhip.effects.files import remove_tree, translated_os_errors
from coachwhip.errors import BuildError, InputError, ResolutionError
from coachwhip.progress import Silent
from coachwhip.resolve.backend import Backend, BackendError
from coachwhip.resolve.buildenv import Room, key_environment
from coachwhip.resolve.model import Options
from coachwhip.resolve.repair import finish_wheel
from coachwhip.resolve.sources import check_out, unpack
from coachwhip.resolve.store import WheelStore, wheel_of
from coachwhip.resolve.toolchain import find_zig
from coachwhip.resolve.tree import copy_tree, hash_tree, repository_state
from coachwhip.resolve.wheelfile import check_fits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coachwhip.effects.cache import Cache
    from coachwhip.model import Target, Wheel
    from coachwhip.progress import Progress
    from coachwhip.resolve.model import BuildPython, LockedFile
    from coachwhip.resolve.wheelfile import WheelFacts

__all__ = ["Builder", "build_local"]

#: Part of every key: count up when the way of building changes.
_REVISION = 1
_LOG_TAIL = 40


@dataclass(frozen=True)
class _Job:
    """One thing to build.

    Attributes:
        key: under which the wheel is stored.
        label: what users know it as.
        provide: puts the sources into a directory that does not exist yet.
        subdirectory: of the project inside the sources.
        reason: why it is built and not taken ready-made, for messages.
    """

    key: str
    label: str
    provide: Callable[[Path], None]
    subdirectory: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Builder:
    """Builds wheels for one target, or takes them from the store when they were built before."""

    target: Target
    python: BuildPython
    store: WheelStore
    options: Options
    progress: Progress

    def key_of_sdist(self, sha256: str, subdirectory: str) -> str:
        """Return the key under which the wheel built of an sdist is stored."""
        return self._key("sdist", sha256, subdirectory)

    def from_sdist(self, path: Path, file: LockedFile) -> tuple[Path, WheelFacts]:
        """Return the wheel built of an sdist; `path` need not exist when it was built before.

        Raises:
            ResolutionError: the file is not the one that was locked.
            BuildError: it can't be built.
        """
        if file.sha256 and (found := self.store.find(self.key_of_sdist(file.sha256, file.subdirectory))):
            return found
        actual = sha256_of(path)
        if file.sha256 and actual != file.sha256:
            raise ResolutionError(
                f"{path} is not the file that was locked: its hash is wrong",
                hint="resolve again if you changed it yourself",
                detail=f"expected sha256 {file.sha256}\nfound    sha256 {actual}",
            )
        key = self.key_of_sdist(actual, file.subdirectory)
        return self._build(_Job(key, str(file), partial(unpack, path), file.subdirectory, file.reason))

    def from_directory(self, folder: Path) -> tuple[Path, WheelFacts]:
        """Return the wheel built of a project folder; the folder itself is not touched.

        Raises:
            InputError: it is not a project.
            BuildError: it can't be built.
        """
        folder = folder.absolute()
        if not ((folder / "pyproject.toml").is_file() or (folder / "setup.py").is_file()):
            raise InputError(
                f"{folder} is not a project: it has neither pyproject.toml nor setup.py",
                hint="point at the folder that has one",
            )
        key = self._key("directory", hash_tree(folder), repository_state(folder))
        return self._build(_Job(key, folder.name, partial(copy_tree, folder)))

    def from_repository(self, file: LockedFile) -> tuple[Path, WheelFacts]:
        """Return the wheel built of one commit of a git repository.

        Raises:
            NetworkError: the repository or the commit can't be had.
            BuildError: it can't be built.
        """
        key = self._key("git", file.location, file.commit, file.subdirectory)
        return self._build(_Job(key, str(file), partial(check_out, file, self.options), file.subdirectory))

    def _key(self, *parts: str) -> str:
        content = [
            _REVISION,
            *parts,
            str(self.target),
            self.python.recipe,
            self.python.python_version,
            find_zig().version,
            sorted(key_environment(self.options).items()),
        ]
        return "built-" + hashlib.sha256(json.dumps(content).encode()).hexdigest()[:40]

    def _build(self, job: _Job) -> tuple[Path, WheelFacts]:
        if found := self.store.find(job.key):
            return found
        cache = self.store.cache
        # A few locks for all builds, lest there be a lock file for everything that was ever built.
        with cache.lock(job.key[: len("built-") + 2]), self.progress.step(f"Building {job.label}"):
            if found := self.store.find(job.key):
                return found
            # Short, as scripts in the environment name their interpreter in a line that has a limit.
            room = Room(cache.area("builds") / job.key[-16:])
            log = cache.area("logs") / f"{job.key}.log"
            remove_tree(room.root)
            log.unlink(missing_ok=True)
            try:
                stored = self._build_in(room, job, log)
            except BackendError as error:
                raise self._failed(job, log) from error
            finally:
                remove_tree(room.root)
            log.unlink(missing_ok=True)
            return stored

    def _build_in(self, room: Room, job: _Job, log: Path) -> tuple[Path, WheelFacts]:
        with translated_os_errors("prepare a build"):
            room.out.mkdir(parents=True)
            room.finished.mkdir()
        job.provide(room.source)
        backend = Backend(self.target, self.python, self.options, self.store.cache)
        built, environ = backend.build(room, room.source / job.subdirectory, log)
        finished = finish_wheel(built, self.target, room, environ)
        path, facts = self.store.add(job.key, finished)
        check_fits(facts, self.target)
        return path, facts

    def _failed(self, job: _Job, log: Path) -> BuildError:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        because = f"; {job.reason}" if job.reason else ""
        return BuildError(
            f"{job.label} can't be built from source for {self.target}{because}",
            hint=f"the whole output is in {log}",
            detail="\n".join(lines[-_LOG_TAIL:]),
        )


def build_local(  # noqa: PLR0913 - each is told apart by name
    folder: Path,
    target: Target,
    python: BuildPython,
    cache: Cache,
    *,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Wheel:
    """Build a project folder into a wheel for `target`, or take it from the cache when nothing changed.

    Args:
        folder: has a `pyproject.toml` (or a `setup.py`); it is not written to.
        target: what to compile for.
        python: the interpreter that the back end runs under, and that extension modules are for.
        cache: where wheels are kept.
        options: indexes for build requirements, and what the build may see.
        progress: hears what is going on.

    Raises:
        InputError: it is not a project.
        BuildError: it can't be built; the end of the compiler's output is its detail.
        NetworkError: a build requirement can't be had.
    """
    firm = replace(target, firm=True)
    builder = Builder(firm, python, WheelStore(cache), options or Options(), progress or Silent())
    return wheel_of(*builder.from_directory(folder), "built")
