"""What is known of a program's modules, and what comes into its snapshot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coachwhip.model import SnapshotWish

__all__ = ["Baked", "Choice", "Ending", "LeftOut", "Module", "Note"]

#: "no tests ran in 0.02s": faster starts print other figures.
_DURATION = re.compile(rb"\b\d+(\.\d+)? ?(ms|s|sec|seconds?)\b")
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class Note:
    """Something that a module looked at, or changed, while it was imported.

    Attributes:
        kind: `variable`, `file`, `time`, `random`, `process`, `user`, `machine`, `folder`, `terminal`,
            `locale`, `state`, `effect`, `signal`, `thread`, `program`, `network`, `library`, `mapping`,
            `native`, `mapped` (a native library that can be in a snapshot) or `descriptor`.
        detail: which one: the variable's name, the file's path, the function.
        place: `file:line` in the module.
        through: modules whose functions it called for that.
        line: of the statement of the module that did it, be it in a class; 0 when that is not known.
    """

    kind: str
    detail: str
    place: str
    through: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Module:
    """A module that the program imports.

    Attributes:
        name: as in `sys.modules`.
        notes: what it looked at.
        imports: modules that it imports while it is itself imported.
        fault: why it could not be imported by itself; empty when it could.
        origin: the path of its code in the product; empty for what is not Python.
        package: whether it is one.
    """

    name: str
    notes: tuple[Note, ...]
    imports: tuple[str, ...]
    fault: str = ""
    origin: str = ""
    package: bool = False


@dataclass(frozen=True)
class LeftOut:
    """A module that is imported at every start.

    Attributes:
        name: of the module.
        reason: what stands against it, in words.
        place: `file:line` of that.
        because: the module that it imports and that is left out for a reason of its own; empty for such.
        kind: that of the note that stands against it, see `Note`; else empty.
    """

    name: str
    reason: str
    place: str
    because: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Choice:
    """What is to come into a snapshot.

    Attributes:
        modules: in the order of import.
        left_out: the others, with reasons.
        gates: environment variables that must not be set where the snapshot is used.
        waiting: module -> notes of its statements that are not executed before the program starts.
    """

    modules: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    gates: tuple[str, ...]
    waiting: Mapping[str, tuple[Note, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Ending:
    """How a run of the program ended.

    Attributes:
        status: with which; None when it did not end by itself.
        printed: to standard output and error.
    """

    status: int | None
    printed: bytes

    def agrees(self, other: Ending) -> bool:
        """Whether both ended with one status and printed the same, but for how long something took."""
        return self.status == other.status and self._without_durations() == other._without_durations()

    def fault(self) -> str:
        """Return what a traceback says that the run ended with; empty when there was none."""
        lines = self.printed.decode(errors="replace").splitlines()
        if self.status != 1 or _TRACEBACK not in lines:
            return ""
        # Its last line is the first one that is not indented; other output may follow.
        begin = len(lines) - lines[::-1].index(_TRACEBACK)
        return next((line for line in lines[begin:] if line.strip() == line != ""), "")

    def _without_durations(self) -> bytes:
        return _DURATION.sub(b"", self.printed)


@dataclass(frozen=True)
class Baked:
    """A snapshot.

    Attributes:
        memory: its bytes.
        choice: what is in it.
        wish: what the app's configuration says of it.
        deferred: the code of modules with statements that wait, as the product has compiled it; may be empty.
        endings: of the runs of the training.
    """

    memory: bytes
    choice: Choice
    wish: SnapshotWish
    deferred: bytes
    endings: tuple[Ending, ...]
