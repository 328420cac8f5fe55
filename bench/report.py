"""Results as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bench.measure import median, minimum
from bench.model import PLAIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.model import Result

__all__ = ["as_json", "as_markdown", "ratio"]

_MS = 1e3
_MB = 1e6

_EXPLANATION = """\
Start-up is the wall time of whole processes, from spawn to exit, output thrown away; all tools of an app
are started in turns. *min* and *median* are over the warm starts; *x* is the ratio of the minimum to plain
Python, the console script in a venv of the interpreter named above; *first* is the median of starts with an
empty home directory, and so with an empty cache of the product, and *first x* the ratio of their minimum to
that of the starts directly after them. *cpu* is the least processor time, *memory* the largest resident
set, *a copy* the proportional set size (PSS) of each of 50 that run at once, *faults* the least number of
page faults, *calls* the system calls of one start. *ships* is what has to be copied to another machine; tools
marked * need a Python there. *build* is the wall time of the tool's own command, downloads cached; *again*
the same once more.
"""


def ratio(result: Result, results: Sequence[Result]) -> float | None:
    """Return the warm minimum as a multiple of plain Python's; None when either is missing."""
    base = next((r for r in results if r.app == result.app and r.tool == PLAIN and r.warm), None)
    if base is None or not result.warm:
        return None
    return minimum(result.warm) / minimum(base.warm)


def as_json(facts: Mapping[str, str], results: Sequence[Result]) -> str:
    """Return everything that was measured; times in seconds, sizes in bytes."""
    document: dict[str, Any] = {"facts": dict(facts), "results": [asdict(result) for result in results]}
    return json.dumps(document, indent=1) + "\n"


def as_markdown(facts: Mapping[str, str], results: Sequence[Result], needs_python: frozenset[str]) -> str:
    """Return one table per app.

    Args:
        facts: about machine and versions, shown as a list.
        results: in the order in which they are to be shown.
        needs_python: tools whose products need a Python where they run.
    """
    lines = ["# Start-up, size, memory and build time", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", _EXPLANATION]
    for app in dict.fromkeys(result.app for result in results):
        lines += [f"## {app}", "", *_HEAD]
        lines += [_row(r, ratio(r, results), needs_python) for r in results if r.app == app]
        lines.append("")
    return "\n".join(lines)


_COLUMNS = (
    "tool",
    "min ms",
    "median ms",
    "x",
    "first ms",
    "first x",
    "cpu ms",
    "memory MB",
    "a copy MB",
    "faults",
    "calls",
    "ships MB",
    "build s",
    "again s",
)
_HEAD = (f"| {' | '.join(_COLUMNS)} |", f"| --- {'| ---: ' * (len(_COLUMNS) - 1)}|")


def _row(result: Result, times: float | None, needs_python: frozenset[str]) -> str:
    name = result.tool + ("*" if result.tool in needs_python else "")
    if result.failure:
        return f"| {name} | fails: {result.failure} |{' |' * (len(_COLUMNS) - 2)}"
    cells = [
        name,
        f"{minimum(result.warm) * _MS:.1f}",
        f"{median(result.warm) * _MS:.1f}",
        "" if times is None else f"{times:.2f}",
        f"{median(result.cold) * _MS:.1f}" if result.cold else "",
        f"{minimum(result.cold) / minimum(result.second):.2f}" if result.second else "",
        f"{min(sample.cpu for sample in result.warm) * _MS:.1f}",
        f"{max(sample.peak for sample in result.warm) / _MB:.1f}",
        "" if result.shared is None else f"{result.shared / _MB:.1f}",
        str(min(sample.faults for sample in result.warm)),
        "" if result.calls is None else str(result.calls),
        f"{result.size / _MB:.1f}" if result.size else "",
        "" if result.build is None else f"{result.build:.1f}",
        "" if result.again is None else f"{result.again:.1f}",
    ]
    return f"| {' | '.join(cells)} |"
