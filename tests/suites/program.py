"""Runs pytest inside a product or a plain interpreter, and writes down how each test ends.

    program.py OUTCOMES ARGUMENTS...

OUTCOMES gets a line of JSON for each test as soon as it has ended: id, kind, reason. The imports that stand
for `IMPORTS` are those of the suite.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, Any

import pytest

IMPORTS = ()

_LONGEST = 3000


class Recorder:
    """A plugin for pytest."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a phase of a test, unless it says nothing."""
        if report.when == "call" or report.outcome != "passed":
            self._write(report.nodeid, _kind(report), report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that can't be collected."""
        if report.outcome != "passed":
            self._write(report.nodeid, "skipped" if report.skipped else "error", report)

    def _write(self, name: str, kind: str, report: Any) -> None:
        why = "" if kind == "passed" else str(report.longrepr)[-_LONGEST:]
        self._stream.write(json.dumps([name, kind, why]) + "\n")
        self._stream.flush()


def _kind(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xpassed" if report.passed else "xfailed"
    if report.failed and report.when != "call":
        return "error"
    return str(report.outcome)


def main() -> int:
    """Run pytest; return its exit status."""
    if sys.argv[1:] in (["--help"], ["--version"]):
        return pytest.main(sys.argv[1:])
    with Path(sys.argv[1]).open("w", encoding="utf-8") as stream:
        return pytest.main(sys.argv[2:], plugins=[Recorder(stream)])


if __name__ == "__main__":
    sys.exit(main())
