"""Small multiples of lines with bands, in one look for every study of solvers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from epsl_opt.report.intervals import Interval
from epsl_opt.report.plots.bands import draw_band
from epsl_opt.report.plots.style import new_figure

STYLES = {
    "exact": ("#000000", "-", "o"),
    "local-search": ("#009E73", "--", "s"),
    "convex": ("#56B4E9", "-.", "^"),
    "bcd": ("#0072B2", "-", "D"),
    "greedy": ("#E69F00", "--", "v"),
    "baseline-a": ("#666666", ":", "P"),
    "baseline-b": ("#D55E00", ":", "X"),
    "baseline-c": ("#CC79A7", (0, (5, 1, 1, 1)), "<"),
    "baseline-d": ("#8C6D1F", (0, (1, 1)), ">"),
    "EPSL": ("#000000", "-", "o"),
    "PSL": ("#0072B2", "--", "s"),
    "SFL": ("#E69F00", "-.", "^"),
    "SL": ("#CC79A7", ":", "D"),
}
"""Solver or framework -> colour, line style, marker: the same in every figure, and told apart without colours."""

FEW_DECADES = 200
"""Ranges up to this factor have ticks at 1, 2 and 5."""


def panels(
    rows: int, titles: Sequence[str], *, height_in: float = 2.3, share_y: Literal["all", "row", False] = "all"
) -> tuple[Figure, list[Axes]]:
    """Return a figure of titled panels in `rows` rows, and its axes in reading order; to be called within `styled`."""
    n_columns = -(-len(titles) // rows)
    figure = new_figure(8.0, height_in * rows + 0.5)
    grid = figure.subplots(rows, n_columns, squeeze=False, sharey=share_y)
    axes: list[Axes] = list(grid.flat)
    for each, title in zip(axes, titles, strict=True):
        each.set_title(title)
        each.grid(axis="y")
    return figure, axes


def draw_lines(
    axes: Axes,
    x: Sequence[float],
    lines: Mapping[str, Sequence[Interval]],
    bands: Collection[str],
    scale: float = 1.0,
) -> None:
    """Draw named means over x, and the intervals of those in `bands`."""
    for name, intervals in lines.items():
        colour, line, marker = STYLES[name]
        look = {"color": colour, "linestyle": line, "marker": marker, "markersize": 3.5, "label": name}
        draw_band(axes, x, intervals, scale, banded=name in bands, **look)


def frame_lines(panels: Sequence[Axes], *, log: bool) -> None:
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


def log_x(axes: Axes, ticks: Sequence[float]) -> None:
    """Make the x axis logarithmic, with ticks at these places only."""
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
    axes.set_xticks([], minor=True)


def legend_below(figure: Figure, axes: Axes, columns: int = 8) -> None:
    """Put one legend for all panels below them."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(columns, len(labels)), columnspacing=1.2)
