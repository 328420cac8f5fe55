"""Whole processes, timed from spawn to exit."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.model import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Launcher", "Program", "measure_first", "measure_warm", "median", "minimum"]


class Program:
    """A command with a home directory of its own, so that what it caches there can be emptied.

    Args:
        command: program and arguments.
        home: its `HOME`; made when missing.
        path: a folder to find the Python in, for products that need one.
    """

    def __init__(self, command: Sequence[str], home: Path, path: Path) -> None:
        self.command = tuple(command)
        self.home = home
        # A clean environment: what the shell has set (PYTHONDONTWRITEBYTECODE above all) must not change
        # what is measured.
        self.environment = {
            "PATH": f"{path}{os.pathsep}{os.defpath}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }
        home.mkdir(parents=True, exist_ok=True)

    def forget(self) -> None:
        """Empty the home directory."""
        shutil.rmtree(self.home)
        self.home.mkdir()


class Launcher:
    """Starts programs and says what they took; small C programs do the measuring.

    Args:
        folder: where those are compiled to.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._launch = _compiled("launch", folder)
        self._calls = _compiled("calls", folder)

    def start(self, program: Program) -> Sample:
        """Run a program once, its output thrown away.

        Raises:
            RuntimeError: it ended with another status than 0.
        """
        wall, cpu, peak, faults = _run(self._launch, program)
        return Sample(wall / 1e9, cpu / 1e6, peak * 1024, faults)

    def count_calls(self, program: Program) -> int:
        """Run a program once and return how many system calls it makes, with all processes that it starts.

        Raises:
            RuntimeError: it ended with another status than 0.
        """
        (calls,) = _run(self._calls, program)
        return calls


def _compiled(name: str, folder: Path) -> Path:
    """Compile one of the C programs beside this module."""
    source, executable = Path(__file__).with_name(f"{name}.c"), folder / name
    compile_it = [sys.executable, "-m", "ziglang", "cc", "-O2", "-o", str(executable), str(source)]
    subprocess.run(compile_it, check=True)
    return executable


def _run(tool: Path, program: Program) -> list[int]:
    """Return the figures that a tool prints of a program; the last one, its status, must be 0."""
    argv = [str(tool), *program.command]
    done = subprocess.run(argv, env=program.environment, capture_output=True, text=True, check=True)
    *figures, status = map(int, done.stdout.split())
    if status != 0:
        code = os.waitstatus_to_exitcode(status)
        raise RuntimeError(f"{program.command[0]} ended with status {code}")
    return figures


def measure_first(launcher: Launcher, program: Program, runs: int) -> tuple[list[Sample], list[Sample]]:
    """Start a program with an empty home directory and then once more, `runs` times.

    Returns:
        The first starts and the second ones: taken in turns, so that the two can be compared.
    """
    first, second = [], []
    for _ in range(runs):
        program.forget()
        first.append(launcher.start(program))
        second.append(launcher.start(program))
    return first, second


def measure_warm(launcher: Launcher, programs: Sequence[Program], runs: int) -> list[list[Sample]]:
    """Start programs in turns, so that a slow moment of the machine meets all of them alike.

    Args:
        launcher: what starts them.
        programs: what to start.
        runs: how often each.
    """
    samples: list[list[Sample]] = [[] for _ in programs]
    for program in programs:
        for _ in range(2):
            launcher.start(program)
    for number in range(runs):
        # Another one begins each round: nobody always runs after the same neighbour.
        first = number % len(programs)
        for index in [*range(first, len(programs)), *range(first)]:
            samples[index].append(launcher.start(programs[index]))
    return samples


def minimum(samples: Sequence[Sample]) -> float:
    """Least wall time, seconds."""
    return min(sample.wall for sample in samples)


def median(samples: Sequence[Sample]) -> float:
    """Median wall time, seconds."""
    return statistics.median(sample.wall for sample in samples)
