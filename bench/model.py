"""What is measured and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PLAIN", "App", "Built", "Result", "Sample"]

#: Name of the baseline: the console script in a venv of an ordinary CPython.
PLAIN = "plain"


@dataclass(frozen=True)
class App:
    """A program to measure.

    Attributes:
        name: as shown.
        requirement: what pip installs: a path or a requirement.
        script: its console script.
        entry: `module:function` of that script, for tools that want a file to start from.
        arguments: what it is started with.
        expect: a text that its output must contain.
        project: normalised name of its distribution.
    """

    name: str
    requirement: str
    script: str
    entry: str
    arguments: tuple[str, ...]
    expect: str
    project: str


@dataclass(frozen=True)
class Built:
    """A program made ready to run by one tool.

    Attributes:
        command: what to start; the app's arguments come after it.
        ships: files and folders that the user has to copy to another machine.
        seconds: wall time of the build.
        again: wall time of the same build once more, None when it was not repeated.
    """

    command: tuple[str, ...]
    ships: tuple[Path, ...]
    seconds: float
    again: float | None = None


@dataclass(frozen=True)
class Sample:
    """One process from its start to its end.

    Attributes:
        wall: seconds of wall time.
        cpu: seconds of processor time, children that it waited for included.
        peak: largest resident set of any of its processes, bytes.
        faults: page faults, children that it waited for included.
    """

    wall: float
    cpu: float
    peak: int
    faults: int


@dataclass
class Result:
    """What was found out about one app made by one tool.

    Attributes:
        app: name of the app.
        tool: name of the tool.
        version: of the tool, empty for plain Python.
        failure: why there are no figures; empty when there are.
        size: bytes to ship; 0 for plain Python.
        build: see `Built.seconds`; None for plain Python.
        again: see `Built.again`.
        cold: starts with an empty home directory, so with whatever cache the product keeps empty.
        second: the starts that came directly after those.
        warm: starts after that, taken in turns with the other tools.
        shared: proportional set size of one of many copies, bytes; None when it was not measured.
        calls: system calls of a warm start, those of processes that it starts included.
    """

    app: str
    tool: str
    failure: str = ""
    version: str = ""
    size: int = 0
    build: float | None = None
    again: float | None = None
    cold: list[Sample] = field(default_factory=list)
    second: list[Sample] = field(default_factory=list)
    warm: list[Sample] = field(default_factory=list)
    shared: float | None = None
    calls: int | None = None
