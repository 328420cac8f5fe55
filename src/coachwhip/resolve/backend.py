"""Run a project's own build back end (PEP 517) under the product's interpreter, with zig as compiler."""

from __future__ import annotations

import tomllib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyproject_hooks import (
    BackendUnavailable,
    BuildBackendHookCaller,
    BuildBackendWarning,
    HookMissing,
    UnsupportedOperation,
)

from coachwhip.effects.process import run
from coachwhip.effects.uv import failure, run_uv
from coachwhip.errors import BuildError, InputError, NetworkError
from coachwhip.resolve.buildenv import Room, build_environment
from coachwhip.resolve.builtins import compiler_builtins
from coachwhip.resolve.compile import configured_indexes
from coachwhip.resolve.indexes import index_arguments
from coachwhip.resolve.toolchain import find_zig, write_wrappers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coachwhip.effects.cache import Cache
    from coachwhip.model import Target
    from coachwhip.resolve.model import BuildPython, Options

__all__ = ["Backend", "BackendError"]

#: What a project without `[build-system]` is built with (PEP 517).
_DEFAULT_REQUIRES = ("setuptools>=40.8.0",)
_DEFAULT_BACKEND = "setuptools.build_meta:__legacy__"


class BackendError(Exception):
    """A back end's process ended with an error; the log has its words."""


@dataclass(frozen=True)
class _BuildSystem:
    requires: tuple[str, ...]
    backend: str
    backend_path: tuple[str, ...]


@dataclass(frozen=True)
class Backend:
    """What all builds of one session have in common.

    Attributes:
        target: to compile for.
        python: the product's interpreter.
        options: indexes for build requirements, and what builds may see.
        cache: where zig keeps what it compiled before.
    """

    target: Target
    python: BuildPython
    options: Options
    cache: Cache

    def build(self, room: Room, source: Path, log: Path) -> tuple[Path, dict[str, str]]:
        """Build a wheel.

        Args:
            room: directories of this build.
            source: the sources, in `room`.
            log: gets what the back end writes.

        Returns:
            The wheel as the back end made it, and the environment that it was made in.

        Raises:
            BackendError: the back end failed.
            BuildError: there is no such back end, or what it needs can't be installed.
            InputError: pyproject.toml is wrong.
            NetworkError: a build requirement can't be had.
        """
        system = _build_system(source)
        maps = {room.root: "/build", self.python.root: "/runtime", find_zig().executable.parent: "/zig"}
        environ = build_environment(self.options, self.target, room, self.cache.area("zig") / "zig-cache")
        builtins = compiler_builtins(find_zig(), self.target, self.cache, environ)
        write_wrappers(room.tools, find_zig(), self.target, maps, builtins)
        self._uv(
            ["venv", "--quiet", "--python", self.python.interpreter, room.env], "make a build environment"
        )
        self._install(room, system.requires)
        hooks = BuildBackendHookCaller(
            str(source), system.backend, system.backend_path, _Runner(environ, log), str(room.python)
        )
        try:
            with warnings.catch_warnings():
                # They are about the project's own metadata, and stand in the log already.
                warnings.simplefilter("ignore", BuildBackendWarning)
                self._install(room, hooks.get_requires_for_build_wheel())
                name = hooks.build_wheel(str(room.out))
        except (BackendUnavailable, HookMissing, UnsupportedOperation) as error:
            raise BuildError(
                f"the build back end {system.backend} of {source.name} can't be used: {error}",
                hint="check [build-system] in its pyproject.toml",
            ) from error
        return room.out / name, environ

    def _install(self, room: Room, requirements: Sequence[str]) -> None:
        if not requirements:
            return
        args: list[str | Path] = ["pip", "install", "--quiet", "--python", room.python]
        args += index_arguments(self.options, configured_indexes(self.options, room.source))
        if self.options.exclude_newer:
            args += ["--exclude-newer", self.options.exclude_newer]
        if self.options.offline:
            args.append("--offline")
        self._uv([*args, "--", *requirements], f"install what the build asks for ({', '.join(requirements)})")

    def _uv(self, args: Sequence[str | Path], what: str) -> None:
        done = run_uv(args, environ=self.options.environ)
        if done.ok:
            return
        error = failure(done, what)
        if isinstance(error, NetworkError):
            raise error
        # To the user this is a build that fails, whatever uv calls it.
        raise BuildError(error.message, hint=error.hint, detail=error.detail)


class _Runner:
    """Runs hooks in the build's environment, with their output in the log."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self._environ = environ
        self._log = log

    def __call__(
        self, cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
    ) -> None:
        env = {**self._environ, **(extra_environ or {})}
        if not run(cmd, cwd=Path(cwd) if cwd else None, env=env, log=self._log).ok:
            raise BackendError


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
