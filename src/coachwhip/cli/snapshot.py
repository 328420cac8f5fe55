"""What is in a product's snapshot, shown."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from coachwhip.cli.ui import size
from coachwhip.snapshot import ONLY_LOOKING, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from coachwhip.snapshot import Choice, LeftOut

__all__ = ["explanation", "snapshot_line"]

_COLUMNS = 80

_LATER = "Look at it in the function that needs it, not while the module is imported."
_NOT_THEN = "Do it in a function that the program calls, not while the module is imported."
#: What can be done about a module, by the kind of what stands against it; `snapshot.model.Note` has them.
_ADVICE = {
    **dict.fromkeys(ONLY_LOOKING, _LATER),
    **dict.fromkeys(("state", "signal", "thread", "program", "network", "mapping", "descriptor"), _NOT_THEN),
    "effect": "Train the app with what imports it, or make the change in a function.",
    "native": "It is unpacked and not mapped; the notes of `coachwhip build` say why.",
    "library": "Load it when it is first called.",
}


def snapshot_line(choice: Choice, memory: int) -> str:
    """Return one line: how many modules of how many, bytes, and where to learn more."""
    inside, outside = len(choice.modules), len(choice.left_out)
    if not outside:
        return f"snapshot: {inside} modules, {size(memory)}"
    return (
        f"snapshot: {inside} of {inside + outside} modules, {size(memory)}; {outside} left out, see --explain"
    )


def explanation(choice: Choice) -> Iterator[RenderableType]:
    """Yield what there is to say about the modules that are not in a snapshot, and when it is not used."""
    causes = [left for left in choice.left_out if not left.because]
    if causes:
        yield _table(causes, choice)
        yield from _advice(causes)
    else:
        yield Text("Every module that the program imports is in the snapshot.")
    if choice.waiting:
        yield Text("")
        yield _waiting(choice)
    if choice.gates:
        yield Text("")
        yield _paragraph(f"It is not used where one of these is set: {', '.join(choice.gates)}", 0)


def _table(causes: Sequence[LeftOut], choice: Choice) -> Table:
    """Return a table of what is left out for a reason of its own, with how many modules that keeps out."""
    table = _empty_table("why it is not in the snapshot")
    table.add_column("keeps out", justify="right", no_wrap=True)
    for left in causes:
        kept_out = sum(other.because == left.name for other in choice.left_out)
        table.add_row(left.name, _reason(left.reason, left.place), str(kept_out) if kept_out else "")
    return table


def _waiting(choice: Choice) -> Table:
    """Return a table of the statements that every start executes, of modules in the snapshot."""
    table = _empty_table("what is done at every start")
    for name, notes in choice.waiting.items():
        seen = dict.fromkeys(_reason(in_words(note), note.place) for note in notes)
        for module, reason in zip((name, *[""] * len(seen)), seen, strict=False):
            table.add_row(module, reason)
    return table


def _empty_table(second: str) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("module", no_wrap=True)
    table.add_column(second, overflow="fold")
    return table


def _reason(words: str, place: str) -> str:
    return f"{words}\n{_short(place)}" if place else words


def _advice(causes: Sequence[LeftOut]) -> Iterator[RenderableType]:
    """Yield what can be done, each with the modules that it is for."""
    names: dict[str, list[str]] = {}
    for left in causes:
        if left.kind in _ADVICE:
            names.setdefault(_ADVICE[left.kind], []).append(left.name)
    if not names:
        return
    yield Text("\nTo have more in the snapshot:")
    for advice, modules in names.items():
        yield _paragraph(advice, 2)
        yield _paragraph(", ".join(modules), 4, style="dim")
    example = next(left.name for left in causes if left.kind in _ADVICE)
    yield _paragraph("Or take a module as it is, if what it found here is right on every machine:", 2)
    yield Text(f"    [tool.coachwhip.snapshot]\n    allow = {json.dumps([example])}")


def _paragraph(text: str, indent: int, style: str = "") -> Text:
    """Wrap a text for the narrowest terminal: indented lines, without blanks at their ends."""
    space = " " * indent
    wrapped = textwrap.fill(
        text,
        _COLUMNS,
        initial_indent=space,
        subsequent_indent=space,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return Text(wrapped, style=style)


def _short(place: str) -> str:
    """A place in a module, without the folder that all modules are in."""
    for folder in ("/site-packages/", "/lib/"):
        if folder in place:
            return place.partition(folder)[2]
    return place
