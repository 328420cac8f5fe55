"""All terminal output of the command: results to stdout, everything else to stderr.

Colour and live progress appear only on a terminal; piped, the same text comes as plain lines. `rich` is
imported when something has to be shown with it, so that `--version` and completion stay fast.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

import click

from coachwhip.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from coachwhip.errors import CoachwhipError

__all__ = ["Ui", "Verbosity", "duration", "pass_ui", "size"]

#: A step that is expected to take longer than this is announced when it starts, even without a terminal.
LONG_STEP_SECONDS = 10.0

_KILO = 1000
_TITLE_WIDTH = 66
_MINUTE = 60
_TEN = 10


class Verbosity(IntEnum):
    """How much is told on stderr."""

    QUIET = -1
    NORMAL = 0
    VERBOSE = 1


class Ui:
    """What the user sees.

    Args:
        stdout: where results go.
        stderr: where progress, notes and errors go.
        color: False to never use colour, whatever the streams are.
    """

    def __init__(self, stdout: TextIO, stderr: TextIO, *, color: bool = True) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._color = color
        self._steps: list[_Step] = []
        self.verbosity = Verbosity.NORMAL

    # -- results ---------------------------------------------------------------------------------

    def result(self, text: str) -> None:
        """Write a line of the command's result to stdout, as it is.

        Raises:
            MachineError: stdout is a full disk or the like.
        """
        with _told_about_output():
            self._stdout.write(text + "\n")
            self._stdout.flush()

    def show(self, renderable: RenderableType) -> None:
        """Write a table or another rich object to stdout.

        Raises:
            MachineError: stdout is a full disk or the like.
        """
        with _told_about_output():
            self._out.print(renderable)
            self._stdout.flush()

    # -- progress --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def step(self, title: str, *, estimate: float | None = None) -> Iterator[None]:
        """Show `title` while the block runs, and how long it took when it ends well.

        `estimate` is in seconds and shown while waiting. See `coachwhip.progress.Progress`.
        """
        if self.verbosity is Verbosity.QUIET:
            yield
            return
        step = _Step(title, len(self._steps), estimate)
        if not self._err.is_terminal and step.is_long:
            self._line(f"{step.indented} ({step.expected}) ...")
        self._steps.append(step)
        try:
            with self._live():
                yield
        finally:
            self._steps.pop()
        self._parts((f"{step.indented:<{_TITLE_WIDTH}} ", ""), (f"{duration(step.elapsed):>11}", "dim"))

    def note(self, message: str) -> None:
        """Tell something worth knowing; silent with `-q`."""
        if self.verbosity > Verbosity.QUIET:
            self._line(f"{self._indent}{message}")

    def detail(self, message: str) -> None:
        """Tell something that only `-v` shows."""
        if self.verbosity is Verbosity.VERBOSE:
            self._line(f"{self._indent}{message}", "dim")

    # -- errors ----------------------------------------------------------------------------------

    def error(self, error: CoachwhipError) -> None:
        """Show an error: what happened, another tool's words when there are any, what to do next."""
        self.failure(error.message, hint=error.hint, detail=error.detail)

    def failure(self, message: str, *, hint: str = "", detail: str = "") -> None:
        """Show the three parts of an error; shown with `-q` too."""
        self._parts(("error: ", "bold red"), (message, ""))
        for line in detail.strip("\n").splitlines():
            self._line(f"  | {line}" if line.strip() else "  |")
        if hint:
            self._parts(("hint: ", "bold cyan"), (hint, ""))

    def help(self, text: str) -> None:
        """Show how a command is used to somebody who has asked for nothing in particular."""
        self._line(text)

    def warning(self, message: str) -> None:
        """Show something that may be wrong but does not stop the command; silent with `-q`."""
        if self.verbosity > Verbosity.QUIET:
            self._parts(("warning: ", "bold yellow"), (message, ""))

    # -- how ---------------------------------------------------------------------------------------

    def _console(self, stream: TextIO) -> Console:
        from rich.console import Console  # noqa: PLC0415  (not needed by every command)

        # Piped output has no width; rich's own answer would depend on the environment.
        width = None if stream.isatty() else max(80, shutil.get_terminal_size().columns)
        return Console(
            file=stream,
            width=width,
            no_color=not self._color,
            color_system="auto" if self._color else None,
            highlight=False,
            emoji=False,
            markup=False,
        )

    @cached_property
    def _out(self) -> Console:
        return self._console(self._stdout)

    @cached_property
    def _err(self) -> Console:
        return self._console(self._stderr)

    @property
    def _indent(self) -> str:
        return "  " * len(self._steps)

    def _line(self, text: str, style: str = "") -> None:
        self._parts((text, style))

    def _parts(self, *parts: tuple[str, str]) -> None:
        from rich.text import Text  # noqa: PLC0415  (see _console)

        # Lines are never wrapped here: a path or a command stays one that can be copied.
        self._err.print(Text.assemble(*parts), soft_wrap=True)

    @contextlib.contextmanager
    def _live(self) -> Iterator[None]:
        """Show the innermost step as a live line; the outermost step owns the line."""
        if not self._err.is_terminal or len(self._steps) > 1:
            yield
            return
        from rich.live import Live  # noqa: PLC0415  (see _console)

        with Live(get_renderable=self._innermost, console=self._err, transient=True, refresh_per_second=8):
            yield

    def _innermost(self) -> RenderableType:
        from rich.text import Text  # noqa: PLC0415  (see _console)

        step = self._steps[-1]
        waited = duration(step.elapsed) + (f" of {step.expected}" if step.expected else "")
        return Text.assemble(f"{step.indented} ... ", (waited, "dim"), no_wrap=True, overflow="ellipsis")


@contextlib.contextmanager
def _told_about_output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # the reader has seen enough
        raise
    except OSError as error:
        raise MachineError(f"can't write to the standard output: {error.strerror}") from error


def _shortened(title: str) -> str:
    """Cut the middle out of a title that would not leave room for a duration in 80 columns."""
    if len(title) <= _TITLE_WIDTH:
        return title
    return f"{title[: _TITLE_WIDTH - 20]}...{title[-17:]}"


class _Step:
    """A step under way."""

    def __init__(self, title: str, depth: int, estimate: float | None) -> None:
        self.indented = _shortened("  " * depth + title)
        self.is_long = estimate is not None and estimate >= LONG_STEP_SECONDS
        self.expected = f"about {duration(estimate)}" if estimate is not None else ""
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._started


#: Decorates a command that takes the `Ui` as its first argument.
pass_ui = click.make_pass_decorator(Ui)


def duration(seconds: float) -> str:
    """Say a duration as people do: `0.4 s`, `12 s`, `3 min 20 s`."""
    if seconds < _TEN:
        return f"{seconds:.1f} s"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest} s" if rest and minutes < _TEN else f"{minutes} min"


def size(count: int) -> str:
    """Say a number of bytes in decimal units: `512 B`, `8.4 kB`, `31.2 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < _KILO:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _KILO
    return f"{value:.2f} GB"
