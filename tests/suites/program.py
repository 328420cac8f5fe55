"""Runs pytest inside a product or a plain interpreter, and writes down how each test ends.

    program.py OUTCOMES ARGUMENTS...

OUTCOMES gets a line of JSON for each test as soon as it has ended: id, kind, reason. The imports that stand for
`IMPORTS` are those of the suite.
"""

import json
import sys

import pytest

IMPORTS = ()

_LONGEST = 3000


class Recorder:
    """A plugin for pytest."""

    def __init__(self, stream):
        self._stream = stream

    def pytest_runtest_logreport(self, report):
        """Note a phase of a test, unless it says nothing."""
        if report.when == "call" or report.outcome != "passed":
            self._write(report.nodeid, _kind(report), report)

    def pytest_collectreport(self, report):
        """Note a file that can't be collected."""
        if report.outcome != "passed":
            self._write(report.nodeid, "skipped" if report.skipped else "error", report)

    def _write(self, name, kind, report):
        why = "" if kind == "passed" else str(report.longrepr)[-_LONGEST:]
        self._stream.write(json.dumps([name, kind, why]) + "\n")
        self._stream.flush()


def _kind(report):
    if hasattr(report, "wasxfail"):
        return "xpassed" if report.passed else "xfailed"
    if report.failed and report.when != "call":
        return "error"
    return report.outcome


def main():
    """Run pytest; return its exit status."""
    if sys.argv[1:] in (["--help"], ["--version"]):
        return pytest.main(sys.argv[1:])
    with open(sys.argv[1], "w", encoding="utf-8") as stream:
        return pytest.main(sys.argv[2:], plugins=[Recorder(stream)])


if __name__ == "__main__":
    sys.exit(main())
