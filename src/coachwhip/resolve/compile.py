"""Requirements and a target in, a `pylock.toml` out: the conversation with uv."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.uv import failure, run_uv
from coachwhip.errors import MachineError
from coachwhip.resolve.indexes import PipIndexes, index_arguments, parse_pip, pip_files, uv_has_indexes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coachwhip.model import Target
    from coachwhip.resolve.model import BuildPython, Options, Project

__all__ = ["Query", "compile_lock", "configured_indexes", "every_file_of", "export_lock", "uv_platform"]

#: The glibc versions that uv can resolve for; its list is closed. The last is the newest that it knows.
_UV_GLIBC = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)


@dataclass(frozen=True)
class Query:
    """What to resolve, and for what.

    Attributes:
        target: where the product runs.
        python: the interpreter to evaluate markers and build metadata with.
        options: see `Options`.
        requirements: requirement strings.
        files: requirement files.
        project: a folder whose dependencies are wanted too.
    """

    target: Target
    python: BuildPython
    options: Options
    requirements: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    project: Project | None = None

    @property
    def directory(self) -> Path:
        """The folder that relative paths are relative to, and where uv looks for its configuration."""
        return (self.project.folder if self.project else Path.cwd()).absolute()

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for."""
        return not (self.requirements or self.files or self.project)


@dataclass
class _Inputs:
    """Files that uv wants as files, in a directory that lives as long as one call."""

    directory: Path
    args: list[str | Path] = field(default_factory=list)

    def add(self, option: str, name: str, lines: Sequence[str]) -> None:
        if lines:
            path = self.directory / name
            path.write_text("\n".join(lines) + "\n")
            self.args += [option, path]


def uv_platform(target: Target) -> str:
    """Return uv's name for the platform: the nearest in its list that is not older than the target.

    A wheel between the target's glibc and that one may so be proposed; `select` refuses it by name. For a
    target that is not firm it is the newest one, lest an old release be taken for its wheels.
    """
    newest = _UV_GLIBC[-1]
    if not target.firm:
        return f"{target.arch}-manylinux_2_{newest}"
    minor = next((minor for minor in _UV_GLIBC if minor >= target.glibc[1]), newest)
    return f"{target.arch}-manylinux_2_{minor}"


def compile_lock(query: Query, *, only_wheels_of: Sequence[str] = (), constraints: Sequence[str] = ()) -> str:
    """Return the text of a `pylock.toml` for the query's target.

    Args:
        query: what is wanted.
        only_wheels_of: projects for which only releases with a fitting wheel count.
        constraints: limits in addition to the query's.

    Raises:
        ResolutionError: the requirements can't be met; uv's explanation is its detail.
        NetworkError: an index can't be reached.
    """
    args: list[str | Path] = ["--python-platform", uv_platform(query.target)]
    for name in only_wheels_of:
        args += ["--only-binary", name]
    for name in sorted(query.options.from_source):
        args += ["--no-binary", name]
    if query.files:
        args += [path.absolute() for path in query.files]
    if query.project:
        args.append(_metadata_of(query.directory))
        for extra in query.project.extras:
            args += ["--extra", extra]
        for group in query.project.groups:
            args += ["--group", group]
    with tempfile.TemporaryDirectory(prefix="coachwhip-") as name:
        inputs = _Inputs(Path(name))
        inputs.add("--constraints", "constraints.txt", [*query.options.constraints, *constraints])
        inputs.add("--overrides", "overrides.txt", query.options.overrides)
        for path in query.options.constraint_files:
            inputs.args += ["--constraints", path.absolute()]
        if query.requirements:
            inputs.args.append("-")
        stdin = "\n".join(query.requirements) + "\n" if query.requirements else None
        return _pip_compile(query, [*args, *inputs.args], stdin, "resolve the requirements")


def _metadata_of(directory: Path) -> Path:
    """Return the file in which uv finds a project's requirements."""
    old = directory / "setup.py"
    new = directory / "pyproject.toml"
    return old if old.exists() and not new.exists() else new


def every_file_of(query: Query, pins: Sequence[str]) -> str:
    """Return a `pylock.toml` that lists the files of these releases for all platforms.

    Args:
        query: whose options and interpreter are used.
        pins: `name==version` strings.

    Raises:
        ResolutionError, NetworkError: as `compile_lock`.
    """
    stdin = "\n".join(pins) + "\n"
    return _pip_compile(query, ["--universal", "--no-deps", "-"], stdin, "look up which wheels there are")


def export_lock(query: Query, project: Project) -> str:
    """Return the `pylock.toml` that the project's `uv.lock` stands for.

    Raises:
        ResolutionError: `uv.lock` does not match `pyproject.toml` any more.
    """
    args: list[str | Path] = ["export", "--quiet", "--format", "pylock.toml", "--locked", "--no-emit-project"]
    args += ["--no-default-groups", "--no-header", "--python", query.python.interpreter]
    for extra in project.extras:
        args += ["--extra", extra]
    for group in project.groups:
        args += ["--group", group]
    if query.options.offline:
        args.append("--offline")
    done = run_uv(args, environ=query.options.environ, cwd=query.directory)
    if not done.ok:
        error = failure(done, f"use {query.directory / 'uv.lock'}")
        if "needs to be updated" in done.stderr:
            error.hint = "run `uv lock` in that folder, or resolve anew with --ignore-lock"
        raise error
    return done.stdout


def configured_indexes(options: Options, directory: Path) -> PipIndexes:
    """Return pip's index settings where uv has none of its own, read from this machine's files."""
    environ = options.environ
    home = environ.get("HOME", "")
    config = Path(environ.get("XDG_CONFIG_HOME") or f"{home}/.config")
    mine = [
        folder / name for folder in (directory, *directory.parents) for name in ("uv.toml", "pyproject.toml")
    ]
    documents = _texts([*mine, config / "uv/uv.toml", Path("/etc/uv/uv.toml")])
    if uv_has_indexes(environ, documents):
        return PipIndexes()
    return parse_pip(_texts(pip_files(environ)), environ)


def _texts(paths: Sequence[Path]) -> list[str]:
    """Return the texts of those files that can be read; others count as absent, as for uv and pip."""
    texts = []
    for path in paths:
        try:
            texts.append(path.read_text())
        except (OSError, UnicodeDecodeError):
            continue
    return texts


def _pip_compile(query: Query, args: Sequence[str | Path], stdin: str | None, what: str) -> str:
    options = query.options
    common: list[str | Path] = ["pip", "compile", "--quiet", "--format", "pylock.toml", "--no-header"]
    common += ["--python", query.python.interpreter, "--python-version", query.python.python_version]
    common += index_arguments(options, configured_indexes(options, query.directory))
    if query.project:
        common += ["--project", query.directory]
    if options.prerelease:
        common += ["--prerelease", "allow"]
    if options.exclude_newer:
        common += ["--exclude-newer", options.exclude_newer]
    if options.offline:
        common.append("--offline")
    environ = _with_custom_certificates(options.environ)
    try:
        done = run_uv([*common, *args], environ=environ, cwd=query.directory, stdin=stdin)
    except OSError as error:
        raise MachineError(f"can't run uv in {query.directory}: {error.strerror}") from error
    if not done.ok:
        raise failure(done, what)
    return done.stdout


def _with_custom_certificates(environ: Mapping[str, str]) -> dict[str, str]:
    """Let uv trust the certificates that pip and requests were told to trust on this machine."""
    bundle = environ.get("PIP_CERT") or environ.get("REQUESTS_CA_BUNDLE")
    return {"SSL_CERT_FILE": bundle, **environ} if bundle else dict(environ)
