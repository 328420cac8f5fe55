"""Writes `command-line.md` beside this file from the commands themselves.

Run it after changing a command; a unit test fails while the page is stale.
"""  # noqa: INP001

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from coachwhip.cli.main import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_suffix(".md")

_HEAD = """\
<!-- Written by command-line.py from the commands themselves. Do not edit by hand. -->

# Command line

Results go to standard output; progress, notes and errors go to standard error. Colour and live progress
appear on a terminal only, and never when `NO_COLOR` is set. [Exit codes](exit-codes.md) tell errors apart.

| variable | what it does |
| --- | --- |
| `COACHWHIP_CACHE_DIR` | the directory of the cache, instead of the platform's place for caches |
| `NO_COLOR` | when set and not empty: no colour |
"""


def page() -> str:
    """Return the whole page."""
    sections = []
    root = click.Context(command_line, info_name="coachwhip", **command_line.context_settings)
    for path, ctx in _commands(command_line, root):
        ctx.terminal_width = 80
        sections.append(f"\n## {path}\n\n```text\n{ctx.command.get_help(ctx).rstrip()}\n```\n")
    return _HEAD + "".join(sections)


def _commands(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, click.Context]]:
    """Yield a command and all below it, in the order of `--help`."""
    yield ctx.command_path, ctx
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            child = command.get_command(ctx, name)
            if child is not None:
                yield from _commands(child, click.Context(child, info_name=name, parent=ctx))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
