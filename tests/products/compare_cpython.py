"""Runs CPython's own tests inside a product and under the plain interpreter, and lists what differs.

    python -m tests.products.cpython_product FOLDER
    python -m tests.products.compare_cpython FOLDER [test_os test_io ...]

The result of every file is kept below FOLDER/results, and files that have one are not run again, so that an
interrupted comparison goes on where it was. All files take about an hour on two cores.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.products.building import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Outcomes", "differences", "run_file"]

#: Test -> `ok`, `skipped`, `failed`; the file itself, under its own name, when it ended otherwise.
Outcomes = dict[str, str]

_TIMEOUT = 900

#: What a product could plausibly change.
WIDE = Path(__file__).with_name("cpython_tests.txt")


def run_file(command: Sequence[str | Path], name: str) -> Outcomes:
    """Run one of CPython's test files; `command` is what is `python -m test` otherwise."""
    with tempfile.TemporaryDirectory(prefix="coachwhip-compare-") as scratch:
        report = Path(scratch) / "junit.xml"
        arguments = ["--junit-xml", str(report), "--tempdir", scratch, f"--timeout={_TIMEOUT}", name]
        log = Path(scratch) / "log"
        with log.open("wb") as stream:
            ended = subprocess.run(
                [*command, *arguments],
                check=False,
                env=environment(),
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            ).returncode
        outcomes = _outcomes(report) if report.exists() else {}
        text = log.read_text(errors="replace")
        if "Result: SUCCESS" not in text and "failed" not in outcomes.values():
            outcomes[name] = f"ended with {ended}: " + _gist(text)
        outcomes["log"] = text[-200_000:]
        return outcomes


def _gist(log: str) -> str:
    found = re.search(r"^Result: (.*)$", log, re.MULTILINE)
    return found[1] if found else log[-300:]


def _outcomes(report: Path) -> Outcomes:
    outcomes = {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314  written by the tests just run
        kinds = {child.tag for child in case}
        result = "failed" if kinds & {"error", "failure"} else "skipped" if "skipped" in kinds else "ok"
        outcomes[case.get("name", "?")] = result
    return outcomes


def differences(plain: Outcomes, product: Outcomes) -> dict[str, tuple[str, str]]:
    """Return the tests that ended differently: name -> (plainly, in the product)."""
    names = (plain.keys() | product.keys()) - {"log"}
    pairs = {name: (plain.get(name, "absent"), product.get(name, "absent")) for name in sorted(names)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def main(folder: Path, names: Sequence[str]) -> None:
    """Run what has not been run yet, and print all differences."""
    sides: dict[str, list[str | Path]] = {
        "plain": [folder / "plain" / "bin" / "python3.13", folder / "cpython.py"],
        "product": [folder / "cpython"],
    }
    for name in names:
        plain, product = (_kept(folder / "results" / side, command, name) for side, command in sides.items())
        differing = differences(plain, product)
        print(f"{name}: {len(plain)} tests, {len(differing)} differ", flush=True)  # noqa: T201
        for test, (there, here) in differing.items():
            print(f"    {test}: {there} -> {here}", flush=True)  # noqa: T201


def _kept(results: Path, command: Sequence[str | Path], name: str) -> Outcomes:
    """The result of a file, from an earlier run when there is one."""
    path = results / f"{name}.json"
    if not path.exists():
        results.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(run_file(command, name), indent=1))
    outcomes: Outcomes = json.loads(path.read_text())
    return outcomes


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:] or WIDE.read_text().split())
