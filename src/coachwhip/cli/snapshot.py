"""What is in a product's snapshot, shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from coachwhip.cli.ui import size

if TYPE_CHECKING:
    from coachwhip.snapshot import Choice

__all__ = ["explanation", "snapshot_line"]


def snapshot_line(choice: Choice, memory: int) -> str:
    """Return one line: how many modules of how many, bytes, and where to learn more."""
    inside, outside = len(choice.modules), len(choice.left_out)
    if not outside:
        return f"snapshot: {inside} modules, {size(memory)}"
    return (
        f"snapshot: {inside} of {inside + outside} modules, {size(memory)}; {outside} left out, see --explain"
    )


def explanation(choice: Choice) -> Table:
    """Return a table of the modules that are not in a snapshot, each cause before what it keeps out."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("module", no_wrap=True)
    table.add_column("why it is not in the snapshot", overflow="fold")
    table.add_column("keeps out", justify="right")
    for left in choice.left_out:
        if left.because:
            continue
        kept_out = sum(other.because == left.name for other in choice.left_out)
        reason = f"{left.reason}\n{_short(left.place)}" if left.place else left.reason
        table.add_row(left.name, reason, str(kept_out) if kept_out else "")
    return table


def _short(place: str) -> str:
    """A place in a module, without the folder that all modules are in."""
    for folder in ("/site-packages/", "/lib/"):
        if folder in place:
            return place.partition(folder)[2]
    return place
