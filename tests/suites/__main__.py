"""Runs test suites of packages inside products and under a plain interpreter, and tells what differs.

    python -m tests.suites [NAME ...] [--folder DIR] [--again] [--page FILE]

Needs the package index. What has been built and run is kept in the folder, so that an interrupted run goes on
where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.cli.places import default_cache
from coachwhip.progress import Silent
from coachwhip.runtime import install_runtime
from tests.suites.compare import counts, differences
from tests.suites.model import SIDES, Outcome, Run, Suite, load
from tests.suites.report import page
from tests.suites.run import forget, run_side
from tests.suites.sides import make_sides
from tests.suites.source import unpack_source

if TYPE_CHECKING:
    from coachwhip.runtime import Runtime

_HERE = Path(__file__).resolve().parent
#: pytest's exit statuses when tests were run, all passed or not.
_USUAL = (0, 1)
_FROM_SNAPSHOT = "started from its snapshot"


def main() -> int:
    """Run what the command line asks for; return the number of differences that nobody has explained."""
    suites = load()
    options = _parser(list(suites)).parse_args()
    runtime = install_runtime(None, cache=default_cache(), environ=os.environ, progress=Silent())
    compared: list[tuple[Suite, dict[str, Run]]] = []
    unexplained = 0
    for name in options.names or suites:
        suite = suites[name]
        folder = options.folder.resolve() / name
        if options.again:
            forget(folder)
        runs = _both(suite, runtime, folder)
        compared.append((suite, runs))
        unexplained += _tell(suite, runs)
    if options.page:
        options.page.write_text(page(compared), encoding="utf-8")
    return min(unexplained, 100)


def _parser(names: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.suites", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*names, []], help=", ".join(names))
    parser.add_argument("--folder", type=Path, default=_HERE.parent.parent / "build" / "suites")
    parser.add_argument("--again", action="store_true", help="run again what has been run before")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write a page with the results")
    return parser


def _both(suite: Suite, runtime: Runtime, folder: Path) -> dict[str, Run]:
    """The results of both sides, from an earlier run where there are some."""
    missing = [side for side in SIDES if not (folder / f"{side}.json").exists()]
    if missing:
        sides = make_sides(suite, runtime, folder / "made")
        source = None if suite.installed else unpack_source(suite.package, folder)
    for side in missing:
        print(f"{suite.name}: {side}", file=sys.stderr, flush=True)  # noqa: T201
        run = run_side(suite, sides, side, source, folder)
        (folder / f"{side}.json").write_text(json.dumps(asdict(run), indent=1))
    return {side: _load(folder / f"{side}.json") for side in SIDES}


def _load(path: Path) -> Run:
    values = json.loads(path.read_text())
    outcomes = {test: Outcome(**outcome) for test, outcome in values.pop("outcomes").items()}
    return Run(outcomes, tuple(values.pop("statuses")), **values)


def _tell(suite: Suite, runs: dict[str, Run]) -> int:
    for side, run in runs.items():
        print(f"{suite.name}: {side}: {dict(counts(run))}, status {run.statuses} {run.snapshot}")  # noqa: T201
    found = differences(suite, runs)
    for one in found:
        print(f"    {one.test}: {one.plain.kind} -> {one.product.kind} ({one.reason or '?'})")  # noqa: T201
    bad = sum(1 for run in runs.values() for status in run.statuses if status not in _USUAL)
    bad += runs["product"].snapshot != _FROM_SNAPSHOT
    return bad + sum(1 for one in found if not one.reason)


if __name__ == "__main__":
    sys.exit(main())
