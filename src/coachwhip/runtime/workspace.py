"""The directory in which a runtime is built, and which of its steps are done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.errors import RuntimeBuildError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coachwhip.effects.jobs import Jobs
    from coachwhip.progress import Progress
    from coachwhip.runtime.recipe import Recipe
    from coachwhip.runtime.sources import Archive
    from coachwhip.runtime.toolchain import Toolchain

__all__ = ["Context", "Workspace"]

_LOG_LINES = 25


@dataclass(frozen=True)
class Workspace:
    """Places in a work directory. A step that is done is not repeated after an interruption."""

    root: Path

    @property
    def dependencies(self) -> Path:
        """The prefix that holds `include` and `lib` of the libraries."""
        return self.root / "deps" / "usr"

    @property
    def carried(self) -> Path:
        """Where the shared libraries are that products may carry."""
        return self.root / "carried"

    @property
    def profile(self) -> Path:
        """The profile of the training run."""
        return self.root / "python.profdata"

    @property
    def product(self) -> Path:
        """The runtime being put together."""
        return self.root / "runtime"

    @property
    def licenses(self) -> Path:
        """Licence files collected while unpacking."""
        return self.root / "licenses"

    def source(self, name: str) -> Path:
        """Where a source is unpacked."""
        return self.root / "src" / name

    def build(self, name: str) -> Path:
        """A directory of compiled files."""
        return self.root / "build" / name

    def log(self, step: str) -> Path:
        """What the programs of a step wrote."""
        path = self.root / "log" / f"{step}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def done(self, step: str) -> bool:
        """Whether a step was finished, now or before an interruption."""
        return (self.root / "done" / step).exists()

    def finish(self, step: str) -> None:
        """Remember that a step is finished."""
        (self.root / "done").mkdir(exist_ok=True)
        (self.root / "done" / step).touch()


@dataclass(frozen=True)
class Context:
    """What all steps of a build work with.

    Attributes:
        recipe: what is built.
        pgo: whether CPython is compiled with a profile.
        archives: source archives by name.
        toolchain: compiler and linker.
        workspace: where it is built.
        jobs: runs the programs.
        progress: hears what happens.
        cpus: how many processes to run at once.
    """

    recipe: Recipe
    pgo: bool
    archives: Mapping[str, Archive]
    toolchain: Toolchain
    workspace: Workspace
    jobs: Jobs
    progress: Progress
    cpus: int

    def run(
        self,
        step: str,
        args: Sequence[str | Path],
        cwd: Path,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run a program of a step with the toolchain first on PATH.

        Raises:
            RuntimeBuildError: it failed; the end of the step's log is the error's detail.
        """
        log = self.workspace.log(step)
        status = self.jobs.run(args, cwd=cwd, env=self.toolchain.environment(env), log=log)
        if status:
            lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
            raise RuntimeBuildError(
                f"building the runtime failed at step `{step}` (`{Path(args[0]).name}` ended with {status})",
                hint=f"the whole log is {log}; the same command goes on at this step",
                detail="\n".join(lines),
            )
