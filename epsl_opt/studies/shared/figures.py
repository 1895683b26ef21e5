"""The studies' figures, drawn from their rows: panels of lines with bands, or of dots with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from epsl_opt.core.arrays import FloatArray
from epsl_opt.plugins.study import Picture, Row, Table
from epsl_opt.report.intervals import Interval
from epsl_opt.report.plots.style import new_figure
from epsl_opt.studies.shared.rows import distinct, interval_of, number, select

LineStyle = str | tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Look:
    """Of a line: told apart without colours, too, for print and for readers who can't tell these apart."""

    colour: str
    line: LineStyle = "-"
    marker: str = ""


_DASHES = ((0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)), (0, (3, 1, 1, 1)))
_LINES: tuple[LineStyle, ...] = ("-", "--", ":", "-.", *_DASHES)
NUMBERED = tuple(Look(f"C{n}", line, marker) for n, (line, marker) in enumerate(zip(_LINES, "os^DvPX<", strict=True)))
"""Looks of what has no name."""

Shared = Literal["all", "row", False]
"""Which panels of a figure share their y axis."""


def grid(
    rows: int, columns: int, width_in: float, height_in: float, *, share_x: bool = False, share_y: Shared = False
) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure and its panels, row by row; to be called within `styled`."""
    figure = new_figure(width_in, height_in)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=share_x, sharey=share_y)
    return figure, [list(line) for line in panels]


def draw_rows(
    axes: Axes,
    rows: Sequence[Row],
    x: str | None,
    column: str,
    look: Look,
    label: str,
    scale: float = 1.0,
    *,
    ends: str | None = None,
    band: bool = True,
) -> None:
    """Draw a line of means, times `scale`, and, where it is known and asked for, the band of their intervals.

    It goes over the column `x`, or one place a row; `column` and `ends` are those of `interval_of`.
    """
    places = [n if x is None else number(row, x) for n, row in enumerate(rows)]
    mean, low, high = scale * arrays([interval_of(row, column, ends) for row in rows])
    (line,) = axes.plot(places, mean, color=look.colour, linewidth=1.3, label=label)
    line.set(linestyle=look.line, marker=look.marker, markersize=3.5)
    if band:
        known = np.isfinite(low) & np.isfinite(high)
        axes.fill_between(places, low, high, where=known, color=look.colour, alpha=0.15, linewidth=0)


def draw_dots(
    axes: Axes,
    names: Sequence[str],
    rows: Sequence[Row],
    column: str,
    at: str,
    by: str,
    scale: float = 1.0,
    *,
    ends: str | None = "",
) -> None:
    """Draw a row of dots with intervals per name, from top to bottom; groups differ in colour and a little in height.

    The names are in the column `at`, the groups in `by`; `ends` is that of `interval_of`.
    """
    groups = distinct(rows, by)
    for n, group in enumerate(groups):
        found = {str(row[at]): interval_of(row, column, ends) for row in select(rows, **{by: group})}
        shown = [name for name in names if name in found]
        heights = [names.index(name) + 0.7 / len(groups) * (n - (len(groups) - 1) / 2) for name in shown]
        mean, low, high = scale * arrays([found[name] for name in shown])
        reach = np.array([mean - low, high - mean])
        reach[~np.isfinite(reach)] = 0.0
        marker, colour = NUMBERED[n].marker, NUMBERED[n].colour
        axes.errorbar(mean, heights, xerr=reach, fmt=marker, color=colour, markersize=4, capsize=2, label=group)
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x")


def legend_below(
    figure: Figure, axes: Axes, columns: int, *, handle: float | None = None, spacing: float | None = None
) -> None:
    """Put one legend for all panels below them, lengths in font sizes; None: the style's."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, handlelength=handle, columnspacing=spacing
    )


def picture(name: str, caption: str, alt: str, figure: Figure, rows: Sequence[Row]) -> Picture:
    """Return a figure with the rows in it."""
    return Picture(name, caption, alt, figure, Table.of(name, "What the figure shows.", rows))


def arrays(values: Sequence[Interval]) -> FloatArray:
    """Return means, lower and upper ends, shape (3, values)."""
    return np.array([(value.mean, value.low, value.high) for value in values], dtype=float).reshape(-1, 3).T
