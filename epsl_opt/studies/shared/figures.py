"""The studies' figures, drawn from their rows: panels of lines with bands, or of dots with intervals."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from epsl_opt.core.arrays import FloatArray
from epsl_opt.plugins.study import Picture, Row, Table
from epsl_opt.report.intervals import Interval
from epsl_opt.report.plots.style import new_figure
from epsl_opt.report.study_files import columns_of
from epsl_opt.studies.shared.rows import distinct, interval_of, number, select

LineStyle = str | tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Look:
    """Of a line: told apart without colours, too, for print and for readers who can't tell these apart."""

    colour: str
    line: LineStyle = "-"
    marker: str = ""


LOOKS = {
    "exact": Look("#000000", "-", "o"),
    "local-search": Look("#009E73", "--", "s"),
    "convex": Look("#56B4E9", "-.", "^"),
    "bcd": Look("#0072B2", "-", "D"),
    "greedy": Look("#E69F00", "--", "v"),
    "baseline-a": Look("#666666", ":", "P"),
    "baseline-b": Look("#D55E00", ":", "X"),
    "baseline-c": Look("#CC79A7", (0, (5, 1, 1, 1)), "<"),
    "baseline-d": Look("#8C6D1F", (0, (1, 1)), ">"),
    "EPSL": Look("#000000", "-", "o"),
    "PSL": Look("#0072B2", "--", "s"),
    "SFL": Look("#E69F00", "-.", "^"),
    "SL": Look("#CC79A7", ":", "D"),
}
"""Solver or framework -> its look, the same in every figure."""

_DASHES = ((0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)), (0, (3, 1, 1, 1)))
_LINES: tuple[LineStyle, ...] = ("-", "--", ":", "-.", *_DASHES)
NUMBERED = tuple(Look(f"C{n}", line, marker) for n, (line, marker) in enumerate(zip(_LINES, "os^DvPX<", strict=True)))
"""Looks of what has no name."""

FEW_DECADES = 200
"""Ranges up to this factor have ticks at 1, 2 and 5."""


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


@dataclass(frozen=True)
class Lines:
    """A quantity of several solvers or frameworks, as a panel shows it.

    Parameters
    ----------
    column
        With the means; `column_low` and `column_high` are the ends of their intervals.
    names
        Whose lines are drawn; keys of `LOOKS`.
    bands
        Whose intervals are.
    label
        Of the y axis.
    by
        The column of the names.
    """

    column: str
    names: Sequence[str]
    bands: Collection[str]
    label: str
    scale: float = 1.0
    log: bool = False
    by: str = "name"


@dataclass(frozen=True)
class Panel:
    """Rows to be drawn as lines."""

    title: str
    rows: Sequence[Row]
    lines: Lines
    x_label: str = ""

    def draw(self, axes: Axes, x: str, *, log_x: bool) -> None:
        """Draw the lines over the column `x`, with ticks at its values only."""
        lines = self.lines
        for name in lines.names:
            line = select(self.rows, **{lines.by: name})
            draw_rows(axes, line, x, lines.column, LOOKS[name], name, lines.scale, band=name in lines.bands)
        places = sorted({number(row, x) for row in self.rows})
        axes.set_xscale("log" if log_x else "linear")
        axes.set_xticks(places, [f"{value:g}" for value in places])
        axes.set_xticks([], minor=True)
        axes.set(title=self.title, xlabel=self.x_label)
        axes.grid(axis="y")


def line_panels(
    n_rows: int, panels: Sequence[Panel], x: str, *, log_x: bool, height_in: float = 2.3, share_y: Shared = "all"
) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels with one legend, and its axes in reading order; to be called within `styled`."""
    figure, lines = grid(n_rows, -(-len(panels) // n_rows), 8.0, height_in * n_rows + 0.5, share_y=share_y)
    every = [axes for line in lines for axes in line]
    for axes, panel in zip(every, panels, strict=True):
        panel.draw(axes, x, log_x=log_x)
    for framed in {"all": [every], "row": lines}.get(share_y or "", [[axes] for axes in every]):
        _frame_lines(framed, log=panels[every.index(framed[0])].lines.log)
    for axes in every if share_y is False else [line[0] for line in lines]:
        axes.set_ylabel(panels[every.index(axes)].lines.label)
    legend_below(figure, every[0], 8, spacing=1.2)
    return figure, every


def _frame_lines(panels: Sequence[Axes], *, log: bool) -> None:
    """Give panels that share their y axis the range of the lines in them, which wide bands may leave."""
    lines = [line for axes in panels for line in axes.get_lines() if not str(line.get_label()).startswith("_")]
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in lines] or [np.ones(1)])
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (1.0, 1.0)
    if log:
        panels[0].set_yscale("log")
        panels[0].set_ylim(low / 1.25, high * 1.25)
        for axes in panels:
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < FEW_DECADES * low else (1,)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("")
    else:
        margin = 0.04 * (high - min(low, 0.0)) or 1.0
        panels[0].set_ylim(min(low, 0.0) - margin, high + margin)


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
        shown = [(place, found[name]) for place, name in enumerate(names) if name in found]
        axes.errorbar(
            [scale * value.mean for _, value in shown],
            [place + 0.7 / len(groups) * (n - (len(groups) - 1) / 2) for place, _ in shown],
            xerr=[
                [scale * _finite(value.mean - value.low) for _, value in shown],
                [scale * _finite(value.high - value.mean) for _, value in shown],
            ],
            fmt=NUMBERED[n].marker,
            color=NUMBERED[n].colour,
            markersize=4,
            capsize=2,
            label=group,
        )
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
    return Picture(name, caption, alt, figure, Table(name, "What the figure shows.", columns_of(rows), rows))


def arrays(values: Sequence[Interval]) -> FloatArray:
    """Return means, lower and upper ends, shape (3, values)."""
    return np.array([(value.mean, value.low, value.high) for value in values], dtype=float).reshape(-1, 3).T


def _finite(reach: float) -> float:
    return reach if math.isfinite(reach) else 0.0
