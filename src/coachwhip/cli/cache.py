"""`coachwhip cache`: where the cache is, and cleaning it."""

from __future__ import annotations

import time
from collections import Counter

import click

from coachwhip.cli.places import default_cache
from coachwhip.cli.ui import Ui, pass_ui, size
from coachwhip.effects.prune import entries, prune

__all__ = ["cache_group"]

_DAY = 24 * 60 * 60


@click.group(
    "cache",
    epilog="""\b
Examples:
  du -sh "$(coachwhip cache dir)"
  coachwhip cache prune --days 7
  COACHWHIP_CACHE_DIR=/var/tmp/cw coachwhip build
""",
)
def cache_group() -> None:
    """Find and clean the cache.

    It holds runtimes, wheels, and what was made of them, so that a later build is quick, and files that
    programs built by coachwhip have unpacked. Everything in it can be made again. COACHWHIP_CACHE_DIR
    names another directory for it.
    """


@cache_group.command("dir", epilog='\b\nExample:\n  du -sh "$(coachwhip cache dir)"\n')
@pass_ui
def show_directory(ui: Ui) -> None:
    """Print the cache's directory."""
    ui.result(str(default_cache().root))


@cache_group.command(
    "prune",
    epilog="""\b
Examples:
  coachwhip cache prune
  coachwhip cache prune --days 7 --dry-run
  coachwhip cache prune --all
""",
)
@click.option(
    "--days",
    type=click.IntRange(min=0),
    default=30,
    show_default=True,
    metavar="N",
    help="Remove what has not been used for N days.",
)
@click.option("--all", "everything", is_flag=True, help="Remove everything but installed runtimes.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@pass_ui
def prune_command(ui: Ui, *, days: int, everything: bool, dry_run: bool) -> None:
    """Remove what has not been used for a while.

    That is what builds have left, and what programs built by coachwhip have unpacked into the cache.
    Installed runtimes stay; `coachwhip runtime remove` removes those. While another coachwhip is
    building, nothing is removed; what a running program has unpacked is never removed.
    """
    cache = default_cache()
    limit = time.time() - days * _DAY
    unwanted = [entry for entry in entries(cache) if everything or entry.used < limit]
    if not dry_run:
        unwanted = prune(cache, unwanted)
    freed: Counter[str] = Counter()
    for entry in unwanted:
        freed[entry.area] += entry.size
        ui.detail(f"{entry.area}/{entry.path.name}  {size(entry.size)}")
    for area, count in sorted(freed.items()):
        ui.note(f"{area:<12} {size(count):>10}")
    verb = "would remove" if dry_run else "removed"
    ui.result(f"{verb} {len(unwanted)} entries, {size(freed.total())}")
