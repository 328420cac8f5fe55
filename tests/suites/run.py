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
from tests.suites.model import SIDES, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.suites.model import Outcome, Suite
    from tests.suites.sides import Sides

__all__ = ["forget", "run_side"]

#: Seconds that a part may take.
_TIMEOUT = 7200
_STARTED = ": started "


def run_side(suite: Suite, sides: Sides, side: str, source: Path | None, folder: Path) -> Run:
    """Run a suite's tests; logs and outcomes are kept as FOLDER/SIDE-*. Parts that have ended stay.

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
        name = f"{side}-{number}"
        status = folder / f"{name}.status"
        if not status.exists():
            ended = _run_part(
                suite, [*command, str(folder / f"{name}.jsonl")], tests, source, folder / f"{name}.log"
            )
            status.write_text(str(ended))
        statuses.append(int(status.read_text()))
        with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
            # Files of several packages have the same name.
            outcomes |= parse(lines, f"{tests[0]} " if suite.apart else "")
    snapshot = _start(command, folder) if side == "product" else ""
    return Run(outcomes, tuple(statuses), snapshot, sides.versions)


def forget(folder: Path) -> None:
    """Forget what has been run."""
    for path in [*folder.glob("*.status"), *(folder / f"{side}.json" for side in SIDES)]:
        path.unlink(missing_ok=True)


def _run_part(
    suite: Suite, command: Sequence[str], tests: Sequence[str], source: Path | None, log: Path
) -> int:
    """Run tests in one process, in a copy of the source; return its exit status."""
    with (
        tempfile.TemporaryDirectory(prefix=f"{suite.name}-", dir=log.parent) as scratch,
        log.open("wb") as stream,
    ):
        place = Path(scratch) / "source"
        if source is None:
            place.mkdir()
        else:
            shutil.copytree(source, place)
        arguments = [*("--pyargs",) * suite.installed, *suite.arguments, "-p", "no:cacheprovider", *tests]
        return subprocess.run(
            [*command, *arguments],
            cwd=place,
            env=_variables(Path(scratch)),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_TIMEOUT,
        ).returncode


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
