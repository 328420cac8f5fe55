"""Results as a table. Pure."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from bench.work.model import PLAIN, VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.work.model import Figure

__all__ = ["as_markdown", "first", "least", "mean", "median", "ratio"]

_MS = 1e3

_EXPLANATION = """\
Processor time of the same work, once the program has started, as a ratio to plain Python: the interpreter of
the same runtime, with the same packages. *min* compares the least values, *median* the medians of all values
but the first of each process, *first* the medians of the first ones, in which code is specialised and pages
of the snapshot are copied when they are written to. *instructions* are those of the second value, counted by
callgrind, with addresses that are the same in every run. *plain ms* is what a value takes.
"""

_COLUMNS = ("min", "median", "first")


def least(figure: Figure) -> float:
    """The least value, seconds."""
    return min(value for values in figure.times for value in values)


def median(figure: Figure) -> float:
    """The median of the values that are not the first of their process, seconds."""
    return statistics.median(value for values in figure.times for value in values[1:])


def first(figure: Figure) -> float:
    """The median of the first values of processes, seconds."""
    return statistics.median(values[0] for values in figure.times)


_MEASURES: tuple[Callable[[Figure], float], ...] = (least, median, first)


def ratio(variants: Mapping[str, Figure], variant: str, measure: Callable[[Figure], float]) -> float | None:
    """Return a variant's measure as a multiple of plain Python's; None when one is missing."""
    figure, base = variants.get(variant), variants.get(PLAIN)
    if figure is None or base is None or not figure.times or not base.times:
        return None
    return measure(figure) / measure(base)


def mean(ratios: Sequence[float | None]) -> float | None:
    """Return the geometric mean of those that there are."""
    known = [math.log(one) for one in ratios if one is not None]
    return math.exp(sum(known) / len(known)) if known else None


def as_markdown(figures: Mapping[str, Mapping[str, Figure]]) -> str:
    """Return the table of all programs; the last row is the geometric mean."""
    heads = [f"{variant}: {column}" for variant in VARIANTS for column in _COLUMNS]
    heads.insert(len(_COLUMNS), "instructions")
    rows = {name: _ratios(variants) for name, variants in figures.items()}
    # What has not been measured of any program is not shown.
    shown = [n for n in range(len(heads)) if any(row[n] is not None for row in rows.values())]
    rows = {name: [row[n] for n in shown] for name, row in rows.items()}
    heads = [heads[n] for n in shown]
    lines = ["# Work after the start", "", _EXPLANATION]
    lines += [f"| program | plain ms | {' | '.join(heads)} |", f"| --- {'| ---: ' * (len(heads) + 1)}|"]
    for name, ratios in rows.items():
        plain = figures[name].get(PLAIN)
        milliseconds = f"{least(plain) * _MS:.0f}" if plain and plain.times else ""
        lines.append(f"| {name} | {milliseconds} | {' | '.join(map(_shown, ratios))} |")
    means = [mean(column) for column in zip(*rows.values(), strict=True)]
    lines.append(f"| **geometric mean** | | {' | '.join(map(_shown, means))} |")
    return "\n".join(lines) + "\n"


def _ratios(variants: Mapping[str, Figure]) -> list[float | None]:
    """The columns of a row."""
    found = [ratio(variants, variant, measure) for variant in VARIANTS for measure in _MEASURES]
    found.insert(len(_COLUMNS), _instructions(variants))
    return found


def _instructions(variants: Mapping[str, Figure]) -> float | None:
    counts = [figure.instructions for name in ("product", PLAIN) if (figure := variants.get(name))]
    here, there = counts if len(counts) == len(("product", PLAIN)) else (None, None)
    return here / there if here and there else None


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
