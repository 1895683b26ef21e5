"""Pieces of the studies' figures: means with their intervals, over a number or over names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from epsl_opt.report.intervals import Interval
from epsl_opt.report.plots.bands import draw_band

STYLES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)), (0, (3, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
"""Beside colours, for print without them and for readers who can't tell them apart."""


def look(number: int) -> dict[str, Any]:
    """Return colour, line style and marker of the n-th line of a figure."""
    return {
        "color": f"C{number % 8}",
        "linestyle": STYLES[number % len(STYLES)],
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 3.5,
    }


def draw_line(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[Interval],
    number: int,
    label: str,
    scale: float = 1.0,
    *,
    marked: bool = True,
) -> None:
    """Draw a line of means with the band of their intervals."""
    style = look(number) if marked else look(number) | {"marker": None}
    draw_band(axes, x, y, scale, label=label, **style)


def draw_groups(
    axes: Axes, names: Sequence[str], groups: Mapping[str, Mapping[str, Interval]], scale: float = 1.0
) -> None:
    """Draw a row of dots with intervals per name, those of a group in one colour and slightly below one another.

    Parameters
    ----------
    names
        From top to bottom.
    groups
        Label -> name -> value; names may be missing.
    """
    step = 0.7 / len(groups)
    for number, (label, values) in enumerate(groups.items()):
        shown = [(at, values[name]) for at, name in enumerate(names) if name in values]
        at = [place + step * (number - (len(groups) - 1) / 2) for place, _ in shown]
        mean = [scale * value.mean for _, value in shown]
        reach = [
            [scale * (value.mean - value.low) if math.isfinite(value.low) else 0.0 for _, value in shown],
            [scale * (value.high - value.mean) if math.isfinite(value.high) else 0.0 for _, value in shown],
        ]
        style = look(number)
        axes.errorbar(
            mean,
            at,
            xerr=reach,
            fmt=str(style["marker"]),
            color=str(style["color"]),
            markersize=4,
            capsize=2,
            label=label,
        )
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x")
