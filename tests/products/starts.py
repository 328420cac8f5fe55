"""Starts a product many times, one after the other and many at once, and looks whether anything goes wrong or
stays behind. The tests do it a few hundred times; for thousands, by hand:

    python -m tests.products.starts --count 10000 --at-once 200 PRODUCT ARGUMENT...
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Ending", "Starter"]

_SECONDS = 300


@dataclass(frozen=True)
class Ending:
    """How a process ended, and what it printed."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Starter:
    """A command, and a folder for all that it might leave."""

    command: Sequence[str | Path]
    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that lead all files into the folder, and have the product say how it has started."""
        folder = str(self.folder)
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": folder,
            "TMPDIR": folder,
            "COACHWHIP_CACHE_DIR": folder,
            "COACHWHIP_WHY": "1",
        }

    def _start(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            list(map(str, self.command)),
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            env=self.environment,
            cwd="/",
        )

    def one(self) -> Ending:
        """Run it once."""
        process = self._start()
        stdout, stderr = process.communicate(timeout=_SECONDS)
        return Ending(process.returncode, stdout, stderr)

    def in_a_row(self, count: int) -> Counter[Ending]:
        """Run it again and again; return how often it ended in which way."""
        return Counter(self.one() for _ in range(count))

    def at_once(self, count: int) -> Counter[Ending]:
        """Run many at the same time; return how often they ended in which way."""
        processes = [self._start() for _ in range(count)]
        found: Counter[Ending] = Counter()
        for process in processes:
            stdout, stderr = process.communicate(timeout=_SECONDS)
            found[Ending(process.returncode, stdout, stderr)] += 1
        return found

    def left_behind(self) -> list[str]:
        """What is there that was made: files of the folder, shared memory."""
        return sorted(str(path) for place in (self.folder, Path("/dev/shm")) for path in place.rglob("*"))


def main() -> int:
    """Do it, and say what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000, help="starts in a row")
    parser.add_argument("--at-once", type=int, default=200, help="processes at the same time")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        starter = Starter([Path(wish.command[0]).resolve(), *wish.command[1:]], Path(name))
        expected = starter.one()
        files = starter.left_behind()
        found = starter.in_a_row(wish.count) + starter.at_once(wish.at_once)
        new = [file for file in starter.left_behind() if file not in files]
    wrong = {ending: times for ending, times in found.items() if ending != expected}
    print(f"{found[expected]} of {found.total()} starts as the first one: {expected}")  # noqa: T201
    for ending, times in wrong.items():
        print(f"{times} times: {ending}")  # noqa: T201
    print(f"left behind: {new or 'nothing'}")  # noqa: T201
    return bool(wrong or new)


if __name__ == "__main__":
    sys.exit(main())
