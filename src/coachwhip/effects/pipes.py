"""Run a program that answers bytes with bytes."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from coachwhip.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["exchange"]


def exchange(
    args: Sequence[str | Path], request: bytes, *, env: Mapping[str, str] | None = None
) -> tuple[int, bytes, str]:
    """Run a program with `request` on its standard input, to its end.

    Args:
        args: the program and its arguments; never given to a shell.
        request: what it reads.
        env: its whole environment; inherited when None.

    Returns:
        Its exit status, what it wrote to standard output, and the text of its standard error.

    Raises:
        MachineError: the program does not exist or can't be executed.
    """
    argv = tuple(os.fspath(arg) for arg in args)
    try:
        done = subprocess.run(argv, input=request, capture_output=True, check=False, env=env)
    except OSError as error:
        raise MachineError(
            f"can't run {argv[0]}: {error.strerror}",
            hint="check that it is installed and executable",
        ) from error
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")
