"""Run other programs: argument lists only, output captured, failures told apart."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from coachwhip.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Completed", "exchange", "run", "start"]


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
        stdin: text for the standard input; nothing can be read when None, or when there is a log.

    Raises:
        MachineError: the program does not exist or can't be executed.
    """
    argv = tuple(os.fspath(arg) for arg in args)
    if log is not None:
        with log.open("ab") as stream:
            process = start(argv, cwd=cwd, env=env, output=stream)
            _communicate(process)
        return Completed(argv, process.returncode, "", "")
    process = start(argv, cwd=cwd, env=env)
    stdout, stderr = _communicate(process, (stdin or "").encode())
    return Completed(
        argv, process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace")
    )


def exchange(
    args: Sequence[str | Path], request: bytes, *, env: Mapping[str, str] | None = None
) -> tuple[int, bytes, str]:
    """Run a program that answers bytes with bytes, to its end.

    Args:
        args: the program and its arguments; never given to a shell.
        request: what it reads from its standard input.
        env: its whole environment; inherited when None.

    Returns:
        Its exit status, what it wrote to standard output, and the text of its standard error.

    Raises:
        MachineError: the program does not exist or can't be executed.
    """
    process = start(args, env=env)
    answer, errors = _communicate(process, request)
    return process.returncode, answer, errors.decode(errors="replace")


def start(  # noqa: PLR0913  (a process has many sides)
    args: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | None = None,
    own_session: bool = False,
    inherited: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program; all processes of coachwhip begin here.

    Args:
        args: the program and its arguments; never given to a shell.
        cwd: working directory; the current one when None.
        env: the whole environment of the program; inherited when None.
        output: receives both its output streams, and there is no input; all three are pipes when None.
        own_session: whether it is to lead a session and process group of its own.
        inherited: descriptors that it keeps open beside the standard ones.

    Raises:
        MachineError: the program does not exist or can't be executed.
    """
    argv = [os.fspath(arg) for arg in args]
    try:
        return subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE if output is None else subprocess.DEVNULL,
            stdout=output or subprocess.PIPE,
            stderr=subprocess.PIPE if output is None else subprocess.STDOUT,
            start_new_session=own_session,
            pass_fds=inherited,
        )
    except OSError as error:
        raise MachineError(
            f"can't run {argv[0]}: {error.strerror}",
            hint="check that it is installed and executable",
        ) from error


def _communicate(process: subprocess.Popen[bytes], request: bytes | None = None) -> tuple[bytes, bytes]:
    """Wait for a process that must not survive us; return what it wrote to pipes."""
    with process:
        try:
            return process.communicate(request)
        except BaseException:
            process.kill()
            raise
