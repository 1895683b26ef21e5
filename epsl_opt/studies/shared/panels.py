"""Panels of lines, one per solver or framework, in the same look in every study."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from epsl_opt.plugins.study import Row
from epsl_opt.studies.shared.figures import Look, Shared, draw_rows, grid, legend_below
from epsl_opt.studies.shared.rows import number, select

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

FEW_DECADES = 200
"""Ranges up to this factor have ticks at 1, 2 and 5."""


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
    every = dict(zip((axes for line in lines for axes in line), panels, strict=True))
    for axes, panel in every.items():
        panel.draw(axes, x, log_x=log_x)
    alone = [[axes] for axes in every]
    for framed in {"all": [list(every)], "row": lines, False: alone}[share_y]:
        _frame_lines(framed, log=every[framed[0]].lines.log)
    for labelled in lines if share_y else alone:
        labelled[0].set_ylabel(every[labelled[0]].lines.label)
    legend_below(figure, lines[0][0], 8, spacing=1.2)
    return figure, list(every)


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
