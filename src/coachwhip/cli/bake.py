"""`coachwhip bake`: the snapshot of a product, made anew in place."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coachwhip.cli.places import default_cache
from coachwhip.cli.snapshot import explanation, snapshot_line
from coachwhip.cli.ui import Ui, pass_ui, size
from coachwhip.pipeline import Rebake, rebake_product

if TYPE_CHECKING:
    from coachwhip.pipeline import Rebaked

__all__ = ["bake"]


def _command_lines(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    try:
        return tuple(tuple(shlex.split(value)) for value in values)
    except ValueError as error:
        raise click.BadParameter(f"{error} in {values!r}") from error


@click.command(
    epilog="""\b
Examples:
  coachwhip bake --explain --dry-run dist/myapp
  coachwhip bake --train "--help" --train "list --json" dist/myapp
  coachwhip bake --allow myapp.paths dist/myapp
""",
)
@click.argument("product", type=click.Path(path_type=Path))
@click.option(
    "--explain", is_flag=True, help="Say which modules are not in the snapshot, why, and what to do."
)
@click.option("--dry-run", is_flag=True, help="Make it and tell about it, but leave PRODUCT as it is.")
@click.option(
    "--train",
    multiple=True,
    metavar="ARGS",
    callback=_command_lines,
    help="Run PRODUCT with these arguments to learn what it imports.  [default: as before]",
)
@click.option("--allow", multiple=True, metavar="MODULE", help="Take a module, whatever it looks at.")
@click.option("--deny", multiple=True, metavar="MODULE", help="Leave a module out.")
@click.option("--gate", multiple=True, metavar="VARIABLE", help="Use no snapshot where this variable is set.")
@pass_ui
def bake(  # noqa: PLR0913  (click gives each option as an argument)
    ui: Ui,
    /,
    *,
    product: Path,
    explain: bool,
    dry_run: bool,
    train: tuple[tuple[str, ...], ...],
    allow: tuple[str, ...],
    deny: tuple[str, ...],
    gate: tuple[str, ...],
) -> None:
    """Make the snapshot that PRODUCT starts from, or make it anew.

    PRODUCT is a file that `coachwhip build` has written. It is run on this machine, and replaced when all has
    gone well. What the build was told about the snapshot still counts, and options add to it; to make
    it last, write it into [tool.coachwhip.snapshot].
    """
    request = Rebake(product, default_cache(), train, allow, deny, gate, keep=not dry_run)
    found = rebake_product(request, ui)
    ui.note(snapshot_line(found.choice, found.memory))
    if explain:
        for part in explanation(found.choice):
            ui.show(part)
    ui.result(f"{product}: {size(found.size)}, {_outcome(found, dry_run=dry_run)}")


def _outcome(found: Rebaked, *, dry_run: bool) -> str:
    if not found.changed:
        return "the same as before"
    return "left as it was" if dry_run else "has its new snapshot"
