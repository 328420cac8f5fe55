"""Programs of a build end with it, and a work directory has one user at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from coachwhip.effects.jobs import Jobs
from coachwhip.errors import MachineError

if TYPE_CHECKING:
    from pathlib import Path

ENV = {"PATH": os.defpath}


def nobody_waits() -> None:
    pytest.fail("nobody else holds the lock")


def until(condition: str, path: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and path.read_text():
            return
        time.sleep(0.02)
    pytest.fail(f"{condition} did not happen")


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def test_output_goes_to_the_log_and_the_status_is_returned(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Jobs(tmp_path / "lock", nobody_waits) as jobs:
        assert jobs.run(["sh", "-c", "echo out; echo err >&2; exit 3"], cwd=tmp_path, env=ENV, log=log) == 3
        assert jobs.run(["sh", "-c", "pwd"], cwd=tmp_path, env=ENV, log=log) == 0

    assert log.read_text() == f"out\nerr\n{tmp_path}\n"


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with (
        Jobs(tmp_path / "lock", nobody_waits) as jobs,
        pytest.raises(MachineError, match="no-such-program"),
    ):
        jobs.run(["no-such-program"], cwd=tmp_path, env=ENV, log=tmp_path / "log")


def test_leaving_ends_programs_and_their_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 1000 & echo $! > {pids}.part; mv {pids}.part {pids}; wait"
    with Jobs(tmp_path / "lock", nobody_waits) as jobs:
        runner = threading.Thread(
            target=jobs.run,
            args=(["sh", "-c", script],),
            kwargs={"cwd": tmp_path, "env": ENV, "log": tmp_path / "log"},
        )
        runner.start()
        until("the start of the program", pids)
    runner.join(10)

    assert not runner.is_alive()
    assert gone(int(pids.read_text()))
    with pytest.raises(MachineError, match="interrupted"):
        jobs.run(["true"], cwd=tmp_path, env=ENV, log=tmp_path / "log")


def test_a_killed_build_keeps_its_lock_until_its_programs_have_ended(tmp_path: Path) -> None:
    lock, started = tmp_path / "lock", tmp_path / "started"
    code = (
        "import pathlib, sys\nfrom coachwhip.effects.jobs import Jobs\n"
        "with Jobs(pathlib.Path(sys.argv[1]), print) as jobs:\n"
        "    place = pathlib.Path(sys.argv[2])\n"
        "    script = 'echo $$ > started; exec sleep 1000'\n"
        "    jobs.run(['sh', '-c', script], cwd=place, env={'PATH': '/usr/bin:/bin'}, log=place / 'log')\n"
    )
    first = subprocess.Popen([sys.executable, "-c", code, lock, tmp_path])
    until("the start of the program", started)
    first.kill()
    first.wait()
    orphan = int(started.read_text())
    waited = threading.Event()

    def enter() -> None:
        with Jobs(lock, waited.set):
            pass

    second = threading.Thread(target=enter)
    second.start()
    assert waited.wait(10), "the lock was free although a program of the killed build still ran"
    os.kill(orphan, signal.SIGKILL)
    second.join(10)
    assert not second.is_alive()
