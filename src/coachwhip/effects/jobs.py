"""Long-running programs that end when we do, and a work directory that only one process uses.

Each program gets a process group of its own. It inherits the work directory's lock, so that a second
coachwhip waits even when the first one was killed and its compiler is still finishing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import threading
from typing import IO, TYPE_CHECKING, Self

from coachwhip.effects.files import translated_os_errors
from coachwhip.effects.process import start
from coachwhip.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

__all__ = ["Jobs"]

_GRACE_SECONDS = 3.0


class Jobs:
    """Programs run under the lock of one work directory; a context manager that holds the lock.

    Args:
        lock: the lock file, made when missing.
        on_wait: called once when another process holds the lock and has to be waited for.
    """

    def __init__(self, lock: Path, on_wait: Callable[[], None]) -> None:
        self._path = lock
        self._on_wait = on_wait
        self._descriptor = -1
        self._running: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()
        self._stopping = False

    def __enter__(self) -> Self:
        with translated_os_errors("lock the work directory"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._on_wait()
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        os.close(self._descriptor)

    def run(self, args: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], log: Path) -> int:
        """Run a program to its end; may be called from several threads.

        Args:
            args: the program and its arguments.
            cwd: working directory.
            env: its whole environment.
            log: file to which both its streams are appended.

        Returns:
            The exit status, negative for a signal.

        Raises:
            MachineError: the program does not exist, or `stop` was called.
        """
        with translated_os_errors("write a log"), log.open("ab") as stream:
            process = self._start(args, cwd, env, stream)
        try:
            return process.wait()
        finally:
            with self._guard:
                self._running.discard(process)

    def _start(
        self, args: Sequence[str | Path], cwd: Path, env: Mapping[str, str], output: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        with self._guard:
            if self._stopping:
                raise MachineError("the build was interrupted")
            process = start(
                args, cwd=cwd, env=env, output=output, own_session=True, inherited=(self._descriptor,)
            )
            self._running.add(process)
            return process

    def stop(self) -> None:
        """End all running programs and their children; no further ones can be started."""
        with self._guard:
            self._stopping = True
            running = list(self._running)
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
