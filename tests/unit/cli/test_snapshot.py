"""What a build says about the snapshot."""

from __future__ import annotations

import io

from rich.console import Console

from coachwhip.cli.snapshot import _ADVICE, explanation, snapshot_line
from coachwhip.snapshot import Choice, LeftOut, Note
from coachwhip.snapshot.choose import _WORDS

CLOCK = "/__app__/lib/python3.13/site-packages/clock/__init__.py:7"
LEFT = (
    LeftOut("clock", "asks for the time (now)", CLOCK, kind="time"),
    LeftOut("user", "imports clock", "", because="clock"),
    LeftOut("denied", "the configuration says so", ""),
    LeftOut("third", "imports user", "", because="clock"),
    LeftOut("std", "looks at /etc/x", "/__app__/lib/python3.13/std.py:1", kind="file"),
    LeftOut("tool", "starts a thread", "/__app__/lib/python3.13/site-packages/tool.py:2", kind="thread"),
)


def lines_of(choice: Choice, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None, markup=False, highlight=False)
    for part in explanation(choice):
        console.print(part)
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue().splitlines()


def shown(choice: Choice, width: int = 120) -> list[list[str]]:
    return [line.split() for line in lines_of(choice, width)]


def test_the_line_counts_modules_and_bytes() -> None:
    assert snapshot_line(Choice(("a", "b"), (), ()), 9_800_000) == "snapshot: 2 modules, 9.8 MB"
    line = snapshot_line(Choice(("a", "b"), LEFT, ()), 9_800_000)
    assert line == "snapshot: 2 of 8 modules, 9.8 MB; 6 left out, see --explain"


def test_the_explanation_names_causes_places_and_how_many_they_keep_out() -> None:
    lines = shown(Choice(("a",), LEFT, ()))
    assert lines[1] == ["clock", "asks", "for", "the", "time", "(now)", "2"]
    assert lines[2] == ["clock/__init__.py:7"]
    assert lines[3] == ["denied", "the", "configuration", "says", "so"]
    assert lines[4:8] == [
        ["std", "looks", "at", "/etc/x"],
        ["python3.13/std.py:1"],
        ["tool", "starts", "a", "thread"],
        ["tool.py:2"],
    ]


def test_the_explanation_says_what_can_be_done_and_for_which_modules() -> None:
    assert lines_of(Choice(("a",), LEFT, ()))[8:] == [
        "",
        "To have more in the snapshot:",
        "  Look at it in the function that needs it, not while the module is imported.",
        "    clock, std",
        "  Do it in a function that the program calls, not while the module is imported.",
        "    tool",
        "  Or take a module as it is, if what it found here is right on every machine:",
        "    [tool.coachwhip.snapshot]",
        '    allow = ["clock"]',
    ]


def test_nothing_can_be_done_about_what_is_wanted() -> None:
    assert len(lines_of(Choice(("a",), (LEFT[2],), ()))) == 2


def test_where_nothing_is_left_out_there_is_no_table() -> None:
    everything = "Every module that the program imports is in the snapshot."
    assert lines_of(Choice(("a",), (), ())) == [everything]
    gated = lines_of(Choice(("a",), (), ("A_DEBUG", "B_DEBUG")))
    assert gated == [everything, "", "It is not used where one of these is set: A_DEBUG, B_DEBUG"]


def test_statements_that_wait_are_shown_with_what_they_do() -> None:
    notes = (
        Note("variable", "HOME", CLOCK),
        Note("variable", "HOME", CLOCK),
        Note("file", "/etc/x", "a.py:3"),
    )
    assert [line.rstrip() for line in lines_of(Choice(("clock",), (), (), {"clock": notes}))][2:] == [
        "module  what is done at every start",
        "clock   reads HOME from the environment",
        "        clock/__init__.py:7",
        "        looks at /etc/x",
        "        a.py:3",
    ]


def test_eighty_columns_are_enough() -> None:
    many = tuple(
        LeftOut(
            f"package.module{n}",
            f"looks at /a/rather/long/path/to/some/file/number/{n}",
            "x.py:1",
            kind="file",
        )
        for n in range(40)
    )
    lines = lines_of(Choice((), many, tuple(f"SOME_VARIABLE_{n}" for n in range(20))))
    assert max(map(len, lines)) <= 80


def test_every_kind_of_reason_has_its_advice() -> None:
    assert _ADVICE.keys() == _WORDS.keys()


def test_names_of_modules_are_whole_in_a_narrow_terminal() -> None:
    long = LeftOut("a.very.long.name.of.a.module", "asks for the time (now)", "x.py:1")
    assert any("a.very.long.name.of.a.module" in line for line in shown(Choice((), (long,), ()), 50))
