"""What a build says about the snapshot."""

from __future__ import annotations

import io

from rich.console import Console

from coachwhip.cli.snapshot import explanation, snapshot_line
from coachwhip.snapshot import Choice, LeftOut

LEFT = (
    LeftOut("clock", "asks for the time (now)", "/__app__/lib/python3.13/site-packages/clock/__init__.py:7"),
    LeftOut("user", "imports clock", "", because="clock"),
    LeftOut("denied", "the configuration says so", ""),
    LeftOut("third", "imports user", "", because="clock"),
    LeftOut("std", "looks at /etc/x", "/__app__/lib/python3.13/std.py:1"),
)


def shown(choice: Choice, width: int = 120) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(explanation(choice))
    output = console.file
    assert isinstance(output, io.StringIO)
    return [line.split() for line in output.getvalue().splitlines()]


def test_the_line_counts_modules_and_bytes() -> None:
    assert snapshot_line(Choice(("a", "b"), (), ()), 9_800_000) == "snapshot: 2 modules, 9.8 MB"
    line = snapshot_line(Choice(("a", "b"), LEFT, ()), 9_800_000)
    assert line == "snapshot: 2 of 7 modules, 9.8 MB; 5 left out, see --explain"


def test_the_explanation_names_causes_places_and_how_many_they_keep_out() -> None:
    lines = shown(Choice(("a",), LEFT, ()))
    assert lines[1] == ["clock", "asks", "for", "the", "time", "(now)", "2"]
    assert lines[2] == ["clock/__init__.py:7"]
    assert lines[3] == ["denied", "the", "configuration", "says", "so"]
    assert lines[4:] == [["std", "looks", "at", "/etc/x"], ["python3.13/std.py:1"]]


def test_names_of_modules_are_whole_in_a_narrow_terminal() -> None:
    long = LeftOut("a.very.long.name.of.a.module", "asks for the time (now)", "x.py:1")
    assert any("a.very.long.name.of.a.module" in line for line in shown(Choice((), (long,), ()), 50))
