"""Runs programs in several ways of starting, and takes their times and counts of instructions."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.work.model import PLAIN, VARIANTS, Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.work.model import Program

__all__ = ["Commands", "Counter", "measure"]

#: Processor seconds that a process should work for; and how many values it takes in them, at least and most.
#: The first one is slower: code is specialised, pages are copied.
_WORK = 0.6
_LEAST, _MOST = 5, 50
_COUNTED = re.compile(r"Collected : (\d+)")


@dataclass(frozen=True)
class Commands:
    """How to start the programs of one product.

    Attributes:
        product: the product.
        plain: the same for plain Python.
        packages: where the latter finds its packages.
        home: home directory of both.
    """

    product: Path
    plain: tuple[str, ...]
    packages: Path
    home: Path

    def of(self, variant: str) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the beginning of the command, and the environment."""
        variables = {"PATH": os.defpath, "HOME": str(self.home), "LANG": "C.UTF-8"}
        if variant == PLAIN:
            return self.plain, {**variables, "PYTHONPATH": str(self.packages)}
        return (str(self.product),), {**variables, **VARIANTS[variant]}


def measure(program: Program, commands: Commands, rounds: int) -> dict[str, Figure]:
    """Run a program in all ways of starting in turns, `rounds` times each."""
    figures = {variant: Figure() for variant in (PLAIN, *VARIANTS)}
    trial = _start(program, commands, PLAIN, 0, 2)
    loops, count = trial["loops"], min(max(int(_WORK / min(trial["values"])), _LEAST), _MOST)
    for number in range(rounds):
        # Another one begins each round: nobody always runs after the same neighbour.
        first = number % len(figures)
        variants = list(figures)
        for variant in [*variants[first:], *variants[:first]]:
            figures[variant].times.append(_start(program, commands, variant, loops, count)["values"])
    return figures


def _start(program: Program, commands: Commands, variant: str, loops: int, values: int) -> dict[str, Any]:
    begin, variables = commands.of(variant)
    done = subprocess.run(
        [*begin, *_arguments(program, loops, values)],
        env=variables,
        cwd=commands.home,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise RuntimeError(f"{program.name} ({variant}) ends with {done.returncode}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _arguments(program: Program, loops: int, values: int) -> Sequence[str]:
    return [program.module, str(loops), str(values), *program.arguments]


class Counter:
    """Counts instructions by callgrind, where it is installed."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def count(self, program: Program, variant: str) -> int:
        """Return the instructions that the program's second value takes, of its smallest amount of work."""
        begin, variables = self._commands.of(variant)
        # Where things lie in dictionaries and memory must not differ by chance.
        command = [
            "setarch",
            "-R",
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--instr-atstart=no",
            *begin,
        ]
        done = subprocess.run(
            [*command, *_arguments(program, 1, 0)],
            env={**variables, "COACHWHIP_WHY": "1", "PYTHONHASHSEED": "0"},
            cwd=self._commands.home,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if variant == "product" and "started from its snapshot" not in done.stderr:
            raise RuntimeError(f"{program.name} does not start from its snapshot:\n{done.stderr}")
        found = _COUNTED.search(done.stderr)
        if found is None:
            raise RuntimeError(f"no count of {program.name}:\n{done.stderr}")
        return int(found[1])
