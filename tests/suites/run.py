"""Runs a suite on one side."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.products.building import environment
from tests.suites.compare import parse
from tests.suites.model import Run

if TYPE_CHECKING:
    from tests.suites.model import Outcome, Suite
    from tests.suites.sides import Sides

__all__ = ["run_side"]

#: Seconds that a part may take.
_TIMEOUT = 7200
_STARTED = ": started "


def run_side(suite: Suite, sides: Sides, side: str, source: Path | None, folder: Path) -> Run:
    """Run a suite's tests; logs and outcomes are kept as FOLDER/SIDE-*.

    Args:
        suite: what to run.
        sides: what to run it with.
        side: `plain` or `product`.
        source: the package's source, which is copied; None when the package holds its tests.
        folder: where to keep what comes of it.
    """
    command = sides.commands[side]
    statuses: list[int] = []
    outcomes: dict[str, Outcome] = {}
    for number, tests in enumerate(_parts(suite)):
        found = folder / f"{side}-{number}.jsonl"
        with tempfile.TemporaryDirectory(prefix=f"{suite.name}-{side}-", dir=folder) as scratch:
            place = Path(scratch) / "source"
            if source is None:
                place.mkdir()
            else:
                shutil.copytree(source, place)
            arguments = [*("--pyargs",) * suite.installed, *suite.arguments, "-p", "no:cacheprovider", *tests]
            with (folder / f"{side}-{number}.log").open("wb") as log:
                done = subprocess.run(
                    [*command, found, *arguments],
                    cwd=place,
                    env=_variables(Path(scratch)),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    check=False,
                    timeout=_TIMEOUT,
                )
            snapshot = _start(command, Path(scratch)) if side == "product" else ""
        statuses.append(done.returncode)
        with found.open(encoding="utf-8") as lines:
            outcomes |= parse(lines)
    return Run(outcomes, tuple(statuses), snapshot, sides.versions)


def _parts(suite: Suite) -> list[tuple[str, ...]]:
    """The tests that each process runs."""
    return [(test,) for test in suite.tests] if suite.apart else [suite.tests]


def _variables(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in environment().items() if not name.startswith("COACHWHIP")}
    return {**kept, "HOME": str(home), "LANG": "C.UTF-8", "TMPDIR": str(home)}


def _start(command: tuple[str, ...], home: Path) -> str:
    """What the product says of its start in the same environment."""
    done = subprocess.run(
        [*command, "--version"],
        env={**_variables(home), "COACHWHIP_WHY": "1"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    said = [line for line in done.stderr.splitlines() if _STARTED in line]
    return said[0].partition(": ")[2] if said else json.dumps(done.stderr)
