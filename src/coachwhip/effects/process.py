"""Run other programs: argument lists only, output captured, failures told apart."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coachwhip.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Completed", "run"]


@dataclass(frozen=True)
class Completed:
    """A finished process: its exit status and what it wrote."""

    args: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether the process exited with status 0."""
        return self.status == 0


def run(
    args: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    stdin: str | None = None,
) -> Completed:
    """Run a program to its end and return what it wrote.

    Args:
        args: the program and its arguments; never given to a shell.
        cwd: working directory; the current one when None.
        env: the whole environment of the program; inherited when None.
        log: when given, both streams are appended to this file and the returned ones are empty.
        stdin: text for the standard input; nothing can be read when None.

    Raises:
        MachineError: the program does not exist or can't be executed.
    """
    argv = tuple(os.fspath(arg) for arg in args)
    try:
        if log is not None:
            with log.open("ab") as stream:
                status = subprocess.run(
                    argv,
                    cwd=cwd,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    check=False,
                ).returncode
            return Completed(argv, status, "", "")
        done = subprocess.run(
            argv,
            cwd=cwd,
            env=env,
            capture_output=True,
            check=False,
            input=b"" if stdin is None else stdin.encode(),
        )
    except OSError as error:
        raise MachineError(
            f"can't run {argv[0]}: {error.strerror}",
            hint="check that it is installed and executable",
        ) from error
    return Completed(
        argv,
        done.returncode,
        done.stdout.decode(errors="replace"),
        done.stderr.decode(errors="replace"),
    )
