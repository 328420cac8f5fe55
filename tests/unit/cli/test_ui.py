"""What the user sees of progress, piped and on a terminal."""

from __future__ import annotations

import io
import re

import pytest

from coachwhip.cli.ui import Ui, Verbosity, duration, size


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def piped() -> tuple[Ui, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Ui(out, err), out, err


def test_steps_are_lines_with_durations_on_stderr() -> None:
    ui, out, err = piped()
    with ui.step("Resolving [all] requirements"):
        ui.note("found a lock")
    assert out.getvalue() == ""
    first, second = err.getvalue().splitlines()
    assert first == "  found a lock"
    assert re.fullmatch(r"Resolving \[all\] requirements +\d\.\d s", second)
    assert len(second) <= 80


def test_nested_steps_are_indented() -> None:
    ui, _, err = piped()
    with ui.step("Building the runtime"), ui.step("OpenSSL"):
        pass
    assert [line[:6] for line in err.getvalue().splitlines()] == ["  Open", "Buildi"]


def test_a_long_title_keeps_its_beginning_and_its_end() -> None:
    ui, _, err = piped()
    with ui.step("Downloading " + "x" * 100 + ".whl"):
        pass
    line = err.getvalue().rstrip("\n")
    assert len(line) <= 80
    assert re.fullmatch(r"Downloading x+\.\.\.x+\.whl +\d\.\d s", line)


def test_a_long_step_is_announced_with_its_estimate_when_piped() -> None:
    ui, _, err = piped()
    with ui.step("Building CPython", estimate=660):
        assert err.getvalue() == "Building CPython (about 11 min) ...\n"


def test_a_failed_step_is_not_reported_as_done() -> None:
    ui, _, err = piped()
    with pytest.raises(ValueError, match="no"), ui.step("Linking"):
        raise ValueError("no")
    assert err.getvalue() == ""


def test_quiet_shows_results_and_errors_only() -> None:
    ui, out, err = piped()
    ui.verbosity = Verbosity.QUIET
    with ui.step("Linking", estimate=100):
        ui.note("note")
        ui.warning("warning")
        ui.detail("detail")
    ui.result("dist/app")
    ui.failure("failed")
    assert out.getvalue() == "dist/app\n"
    assert err.getvalue() == "error: failed\n"


def test_details_are_for_verbose() -> None:
    ui, _, err = piped()
    ui.detail("hidden")
    ui.verbosity = Verbosity.VERBOSE
    ui.detail("shown")
    assert err.getvalue() == "shown\n"


def test_colour_and_live_lines_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    ui = Ui(io.StringIO(), terminal)
    with ui.step("Linking"):
        pass
    ui.failure("failed")
    assert "\x1b[1;31merror: \x1b[0m" in terminal.getvalue()
    assert "Linking ..." in terminal.getvalue()

    ui, _, err = piped()
    ui.failure("failed")
    assert "\x1b" not in err.getvalue()


def test_no_color_is_honoured_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    Ui(io.StringIO(), terminal, color=False).failure("failed")
    assert terminal.getvalue() == "error: failed\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (1.26, "1.3 s"),
        (12.4, "12 s"),
        (59.9, "60 s"),
        (200, "3 min 20 s"),
        (180, "3 min"),
        (905, "15 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (8400, "8.4 kB"), (31_240_000, "31.2 MB"), (2_000_000_000, "2.00 GB")],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
