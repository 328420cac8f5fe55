"""Sources -> a wheel for the target, by the project's own build back end (PEP 517) and zig.

The back end runs under the product's interpreter, in an environment that has what it asks for and in a
copy of the sources below one fixed directory. It sees the few variables named here and nothing else of
the machine, so that the cache entry's name really says what the wheel was made of.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyproject_hooks import BackendUnavailable, BuildBackendHookCaller, HookMissing

from coachwhip.effects.download import sha256_of
from coachwhip.effects.files import remove_tree, translated_os_errors
from coachwhip.effects.process import run
from coachwhip.effects.uv import failure, run_uv
from coachwhip.errors import BuildError, InputError, NetworkError
from coachwhip.progress import Silent
from coachwhip.resolve.buildenv import build_environment, key_environment
from coachwhip.resolve.compile import configured_indexes
from coachwhip.resolve.indexes import index_arguments
from coachwhip.resolve.model import Options
from coachwhip.resolve.repair import finish_wheel
from coachwhip.resolve.store import WheelStore, wheel_of
from coachwhip.resolve.toolchain import find_zig, write_wrappers
from coachwhip.resolve.tree import copy_tree, hash_tree, repository_state
from coachwhip.resolve.wheelfile import check_fits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from coachwhip.effects.cache import Cache
    from coachwhip.model import Target, Wheel
    from coachwhip.progress import Progress
    from coachwhip.resolve.model import BuildPython, LockedFile
    from coachwhip.resolve.wheelfile import WheelFacts

__all__ = ["Builder", "build_local"]

#: Part of every key: count up when the way of building changes.
_REVISION = 1
#: What a project without `[build-system]` is built with (PEP 517).
_DEFAULT_REQUIRES = ("setuptools>=40.8.0",)
_DEFAULT_BACKEND = "setuptools.build_meta:__legacy__"
_LOG_TAIL = 40


class _HookError(Exception):
    """A back end's process ended with an error; the log has its words."""


@dataclass(frozen=True)
class _BuildSystem:
    requires: tuple[str, ...]
    backend: str
    backend_path: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """The directories of one build. They are at the same place in each build of the same thing."""

    root: Path

    @property
    def source(self) -> Path:
        return self.root / "src"

    @property
    def env(self) -> Path:
        return self.root / "env"

    @property
    def tools(self) -> Path:
        return self.root / "tools"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def python(self) -> Path:
        return self.env / "bin" / "python"


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
        """Return the wheel built of an sdist, whose hash is checked.

        Raises:
            ResolutionError: the file has another hash.
            BuildError: it can't be built.
        """
        key = self.key_of_sdist(file.sha256, file.subdirectory) if file.sha256 else ""
        if key and (found := self.store.find(key)):
            return found
        actual = sha256_of(path)
        if file.sha256 and actual != file.sha256:
            raise InputError(
                f"{path} is not the file that was locked: its hash is wrong",
                hint="resolve again if you changed it yourself",
                detail=f"expected sha256 {file.sha256}\nfound    sha256 {actual}",
            )

        def unpack(destination: Path) -> None:
            _unpack(path, destination)

        key = self.key_of_sdist(actual, file.subdirectory)
        return self._build(key, str(file), file.reason, unpack, file.subdirectory)

    def from_directory(self, folder: Path, *, reason: str = "") -> tuple[Path, WheelFacts]:
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

        def copy(destination: Path) -> None:
            copy_tree(folder, destination)

        return self._build(key, folder.name, reason, copy, "")

    def from_repository(self, file: LockedFile) -> tuple[Path, WheelFacts]:
        """Return the wheel built of one commit of a git repository.

        Raises:
            NetworkError: the repository or the commit can't be had.
            BuildError: it can't be built.
        """
        key = self._key("git", file.location, file.commit, file.subdirectory)

        def checkout(destination: Path) -> None:
            self._checkout(file, destination)

        return self._build(key, str(file), "", checkout, file.subdirectory)

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
        return "built-" + hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _build(
        self, key: str, label: str, reason: str, provide: Callable[[Path], None], subdirectory: str
    ) -> tuple[Path, WheelFacts]:
        """Build under a lock, in a fresh directory whose name follows from what is built."""
        cache = self.store.cache
        if found := self.store.find(key):
            return found
        with cache.lock(key), self.progress.step(f"Building {label}"):
            if found := self.store.find(key):
                return found
            place = _Place(cache.area("builds") / key)
            log = cache.area("logs") / f"{key}.log"
            try:
                remove_tree(place.root)
                log.unlink(missing_ok=True)
                with translated_os_errors("prepare a build"):
                    place.out.mkdir(parents=True)
                provide(place.source)
                wheel = self._wheel(place, place.source / subdirectory, log)
                path, facts = self.store.add(key, wheel)
                check_fits(facts, self.target)
            except _HookError as error:
                raise self._failed(label, reason, log) from error
            finally:
                remove_tree(place.root)
            log.unlink(missing_ok=True)
            return path, facts

    def _wheel(self, place: _Place, source: Path, log: Path) -> Path:
        system = _build_system(source)
        maps = {
            place.root: "/build",
            self.python.root: "/runtime",
            find_zig().executable.parent: "/zig",
        }
        write_wrappers(place.tools, find_zig(), self.target, maps)
        zig_cache = self.store.cache.area("zig") / "zig-cache"
        environ = build_environment(self.options, self.target, place.env, place.tools, zig_cache, maps)
        self._uv(["venv", "--quiet", "--python", self.python.interpreter, place.env], "make a build environment")
        self._install(place, system.requires)

        def hook_runner(
            cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
        ) -> None:
            env = {**environ, **(extra_environ or {})}
            if not run(cmd, cwd=Path(cwd) if cwd else None, env=env, log=log).ok:
                raise _HookError

        hooks = BuildBackendHookCaller(
            str(source), system.backend, system.backend_path, hook_runner, str(place.python)
        )
        try:
            self._install(place, hooks.get_requires_for_build_wheel())
            name = hooks.build_wheel(str(place.out))
        except (BackendUnavailable, HookMissing) as error:
            raise BuildError(
                f"the build back end {system.backend} can't be used: {error}",
                hint="check [build-system] in pyproject.toml",
            ) from error
        finished = place.root / "finished"
        finished.mkdir()
        return finish_wheel(place.out / name, self.target, finished, environ)

    def _install(self, place: _Place, requirements: Sequence[str]) -> None:
        if not requirements:
            return
        args: list[str | Path] = ["pip", "install", "--quiet", "--python", place.python]
        args += index_arguments(self.options, configured_indexes(self.options, place.source))
        if self.options.exclude_newer:
            args += ["--exclude-newer", self.options.exclude_newer]
        if self.options.offline:
            args.append("--offline")
        self._uv([*args, "--", *requirements], f"install what the build asks for ({', '.join(requirements)})")

    def _uv(self, args: Sequence[str | Path], what: str) -> None:
        done = run_uv(args, environ=self.options.environ)
        if not done.ok:
            raise failure(done, what)

    def _checkout(self, file: LockedFile, destination: Path) -> None:
        if self.options.offline and "://" in file.location and not file.location.startswith("file://"):
            raise NetworkError(f"can't get {file.location} without the network")
        env = {**self.options.environ, "GIT_TERMINAL_PROMPT": "0"}
        for args in (
            ["clone", "--quiet", "--no-checkout", "--", file.location, destination],
            ["-C", destination, "checkout", "--quiet", "--detach", file.commit],
            ["-C", destination, "submodule", "--quiet", "update", "--init", "--recursive"],
        ):
            done = run(["git", *args], env=env)
            if not done.ok:
                raise NetworkError(
                    f"can't get commit {file.commit[:12]} of {file.location}",
                    hint="check that the repository can be reached and still has that commit",
                    detail=done.stderr.strip(),
                )

    def _failed(self, label: str, reason: str, log: Path) -> BuildError:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        because = f"; {reason}" if reason else ""
        return BuildError(
            f"{label} can't be built from source for {self.target}{because}",
            hint=f"the whole output is in {log}",
            detail="\n".join(lines[-_LOG_TAIL:]),
        )


def build_local(
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
    store = WheelStore(cache)
    builder = Builder(target, python, store, options or Options(), progress or Silent())
    return wheel_of(*builder.from_directory(folder), "built")


def _build_system(source: Path) -> _BuildSystem:
    path = source / "pyproject.toml"
    table: dict[str, Any] = {}
    if path.is_file():
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8")).get("build-system", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path.name} of {source.name} is not valid TOML: {error}") from error
    elif not (source / "setup.py").is_file():
        raise BuildError(f"{source.name} has neither pyproject.toml nor setup.py, so it can't be built")
    return _BuildSystem(
        requires=tuple(table.get("requires", _DEFAULT_REQUIRES)),
        backend=table.get("build-backend", _DEFAULT_BACKEND),
        backend_path=tuple(table.get("backend-path", ())),
    )


def _unpack(archive: Path, destination: Path) -> None:
    """Unpack an sdist; its one top directory becomes `destination`."""
    temporary = destination.with_name("unpacked")
    try:
        with translated_os_errors("unpack an sdist"):
            if archive.suffix == ".zip":
                with zipfile.ZipFile(archive) as source:
                    source.extractall(temporary)  # zipfile leaves out `..` and leading slashes itself
            else:
                with tarfile.open(archive) as source:
                    source.extractall(temporary, filter="data")
            tops = list(temporary.iterdir())
            (tops[0] if len(tops) == 1 and tops[0].is_dir() else temporary).rename(destination)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{archive.name} is damaged: {error}", hint="get it again") from error
