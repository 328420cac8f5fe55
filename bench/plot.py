"""A plot of start-up times as SVG: one panel per app, one bar per tool, plain Python as the measure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from bench.measure import minimum
from bench.model import PLAIN
from bench.report import ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.model import Result

__all__ = ["as_svg"]

_WIDTH = 760
_LEFT = 150
_RIGHT = 120
_ROW = 22
_PANEL_HEAD = 40
_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 } .small { font-size: 11px; fill: #57606a }
.ours { fill: #1a7f64 } .plain { fill: #57606a } .peer { fill: #b9c3ce }
line { stroke: #d0d7de } .one { stroke: #57606a; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9da7b1 } .peer { fill: #57606a } .plain { fill: #9da7b1 }
  .ours { fill: #3fb68b } line { stroke: #3d444d } .one { stroke: #9da7b1 }
}
"""


def as_svg(results: Sequence[Result]) -> str:
    """Return the plot; apps without a plain result and tools that failed are left out.

    The axis is logarithmic: what matters are ratios, and they span from a twentieth to twenty.
    """
    shown = [(r, x) for r in results if (x := ratio(r, results)) is not None]
    ratios = [x for _, x in shown]
    low, high = _decade(min(ratios, default=0.5), math.floor), _decade(max(ratios, default=2.0), math.ceil)
    parts = []
    top = 46.0
    for app in dict.fromkeys(result.app for result, _ in shown):
        rows = sorted(((r, x) for r, x in shown if r.app == app), key=lambda row: row[1])
        parts += _panel(app, rows, top, low, high)
        top += _PANEL_HEAD + _ROW * len(rows) + 14
    title = "Start-up time relative to plain Python (logarithmic; shorter is faster)"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top:.0f}" role="img">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n"
        f'<text class="title" x="16" y="26">{title}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _decade(value: float, towards: object) -> float:
    """Return the next of 1, 2, 5 times a power of ten below (`math.floor`) or above (`math.ceil`)."""
    steps = sorted(m * 10.0**e for e in range(-4, 5) for m in (1, 2, 5))
    if towards is math.floor:
        return max((s for s in steps if s <= value), default=steps[0])
    return min((s for s in steps if s >= value), default=steps[-1])


def _panel(app: str, rows: Sequence[tuple[Result, float]], top: float, low: float, high: float) -> list[str]:
    scale = (_WIDTH - _LEFT - _RIGHT) / math.log(high / low)

    def x(value: float) -> float:
        return _LEFT + math.log(value / low) * scale

    bottom = top + _PANEL_HEAD - 12 + _ROW * len(rows)
    parts = [f'<text class="title" x="16" y="{top + 14:.0f}">{escape(app)}</text>']
    ticks = [t for e in range(-3, 4) for m in (1, 2, 5) if low <= (t := m * 10.0**e) <= high]
    for tick in ticks:
        kind = ' class="one"' if tick == 1 else ""
        parts.append(
            f'<line{kind} x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top + 22:.0f}" y2="{bottom:.0f}"/>'
        )
        parts.append(
            f'<text class="small" text-anchor="middle" x="{x(tick):.1f}" y="{top + 16:.0f}">{tick:g}x</text>'
        )
    for number, (result, times) in enumerate(rows):
        y = top + _PANEL_HEAD - 12 + _ROW * number
        kind = {"coachwhip": "ours", PLAIN: "plain"}.get(result.tool, "peer")
        figures = f"{minimum(result.warm) * 1e3:.1f} ms, {times:.2f}x"
        parts += [
            f'<text text-anchor="end" x="{_LEFT - 8}" y="{y + 14:.0f}">{escape(result.tool)}</text>',
            f'<rect class="{kind}" x="{_LEFT}" y="{y + 3:.0f}" width="{x(times) - _LEFT:.1f}" height="15"/>',
            f'<text class="small" x="{x(times) + 6:.1f}" y="{y + 14:.0f}">{figures}</text>',
        ]
    return parts
