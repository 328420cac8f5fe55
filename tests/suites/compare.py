"""What differs between two runs of a suite. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.suites.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.suites.model import Run, Suite

__all__ = ["Difference", "counts", "differences", "parse"]

_ABSENT = Outcome("absent")
#: What differs from run to run in the names of tests: addresses, and the folders of files.
_PASSING = re.compile(r"0x[0-9a-f]{6,}|(?<=[\[-])/[^]\s]*/")
#: A test that has several outcomes, for its fixtures perhaps, counts with the worst.
_WORST = ("error", "failed", "xpassed", "skipped", "xfailed", "passed")


@dataclass(frozen=True)
class Difference:
    """A test that ended differently, and why that may be; `reason` is empty when nobody knows."""

    test: str
    plain: Outcome
    product: Outcome
    reason: str


def parse(lines: Iterable[str], prefix: str = "") -> dict[str, Outcome]:
    """Return test -> outcome from what `program.py` has written; a last line that is not whole is left out.

    Addresses and folders in the names of tests are taken out; `prefix` comes before them.
    """
    found: dict[str, Outcome] = {}
    for line in lines:
        if not line.endswith("\n"):
            break
        name, kind, why = json.loads(line)
        name = prefix + _PASSING.sub("*", name)
        if name not in found or _WORST.index(kind) < _WORST.index(found[name].kind):
            found[name] = Outcome(kind, why)
    return found


def counts(run: Run) -> Counter[str]:
    """Return kind -> number of tests."""
    return Counter(outcome.kind for outcome in run.outcomes.values())


def differences(suite: Suite, runs: Mapping[str, Run]) -> list[Difference]:
    """Return the tests that do not end in the same way on both sides, by name."""
    plain, product = runs["plain"].outcomes, runs["product"].outcomes
    found = []
    for test in sorted(plain.keys() | product.keys()):
        here, there = plain.get(test, _ABSENT), product.get(test, _ABSENT)
        if here.kind != there.kind:
            reasons = (reason for part, reason in suite.explained.items() if part in test)
            found.append(Difference(test, here, there, next(reasons, "")))
    return found
