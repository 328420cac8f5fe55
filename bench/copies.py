"""What a copy of a program takes of the memory when many of them run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.measure import Program

__all__ = ["proportional_memory"]

_PAUSE = 0.5
_PATIENCE = 300.0


def proportional_memory(program: Program, copies: int) -> float:
    """Run copies of a program up to where it prints, and measure them there.

    Args:
        program: it must print something; that is where it is held up.
        copies: how many run at once.

    Returns:
        The proportional set size (PSS in proc(5)) of a copy with all its processes, bytes.

    Raises:
        RuntimeError: a copy ended, or they did not come to rest.
    """
    with _full_pipe() as output:
        running = [_start(program, output) for _ in range(copies)]
        try:
            _wait_for_rest(program, running)
            sessions = {process.pid for process in running}
            return sum(_pss(pid) for pid, session in _processes() if session in sessions) / copies
        finally:
            for process in running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def _full_pipe() -> Iterator[int]:
    """Yield the end of a pipe that whoever writes to has to wait."""
    reader, writer = os.pipe()
    try:
        fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, bytes(4096))
        fcntl.fcntl(writer, fcntl.F_SETFL, 0)
        yield writer
    finally:
        os.close(reader)
        os.close(writer)


def _start(program: Program, output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        program.command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=program.environment,
        start_new_session=True,
    )


def _processes() -> Iterator[tuple[int, int]]:
    """Yield (process, session)."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), int((entry / "stat").read_text().rpartition(")")[2].split()[3])


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _wait_for_rest(program: Program, running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until none of the copies uses the processor any more."""
    sessions = {process.pid for process in running}
    before, deadline = -1, time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        time.sleep(_PAUSE)
        if any(process.poll() is not None for process in running):
            raise RuntimeError(f"{program.command[0]} ended before it printed")
        used = sum(_ticks(pid) for pid, session in _processes() if session in sessions)
        if used == before:
            return
        before = used
    raise RuntimeError(f"{program.command[0]} did not come to rest")


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
