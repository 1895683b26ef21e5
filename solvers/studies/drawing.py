"""Small multiples of lines with bands, in one look for every study of solvers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from epsl_opt.intervals import Interval
from epsl_opt.plots.style import new_figure

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


def panels(rows: int, titles: Sequence[str], height_in: float = 2.3) -> tuple[Figure, list[Axes]]:
    """Return a figure of titled panels in `rows` rows, and its axes in reading order; to be called within `styled`."""
    n_columns = -(-len(titles) // rows)
    figure = new_figure(8.0, height_in * rows + 0.5)
    grid = figure.subplots(rows, n_columns, squeeze=False, sharey=True)
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
    """Draw named means over x, and the intervals of those in `bands`; these do not stretch the y axis."""
    for name, intervals in lines.items():
        colour, line, marker = STYLES[name]
        mean = scale * np.array([interval.mean for interval in intervals])
        axes.plot(x, mean, color=colour, linestyle=line, marker=marker, markersize=3.5, linewidth=1.3, label=name)
    axes.autoscale_view()
    bottom_top = axes.get_ylim()
    for name in bands:
        low, high = (scale * np.array([getattr(interval, end) for interval in lines[name]]) for end in ("low", "high"))
        known = np.isfinite(low) & np.isfinite(high)
        axes.fill_between(x, low, high, where=known, color=STYLES[name][0], alpha=0.16, linewidth=0)
    axes.set_ylim(bottom_top)


def log_y(axes: Axes) -> None:
    """Make the y axis logarithmic, with plain numbers."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")


def log_x(axes: Axes, ticks: Sequence[float]) -> None:
    """Make the x axis logarithmic, with ticks at these places only."""
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
    axes.set_xticks([], minor=True)


def legend_below(figure: Figure, axes: Axes, columns: int = 8) -> None:
    """Put one legend for all panels below them."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(columns, len(labels)), columnspacing=1.2)
