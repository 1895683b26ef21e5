"""Box plots of the gaps to the best bound known, per solver; `results.py` puts them into the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from epsl_opt.campaigns.ranking import RunRow
from epsl_opt.report.plots.comparison import KIND_COLOURS, OTHER_COLOUR
from epsl_opt.report.plots.style import new_figure, shorten, styled

LEAST_PERCENT = 1e-3
"""Smaller gaps, which a logarithmic axis cannot show, are drawn here."""


def plot_gaps(campaigns: Mapping[str, Sequence[RunRow]]) -> Figure:
    """Draw one panel per campaign, titled by its name: a box per solver over its instances, best median first."""
    with styled():
        figure = new_figure(9.5, 4.2)
        panels = figure.subplots(1, len(campaigns), sharey=True, squeeze=False)[0]
        for axes, (title, rows) in zip(panels, campaigns.items(), strict=True):
            _draw(axes, rows)
            axes.set_title(title)
        panels[0].set_ylabel("gap to the best bound, %")
    return figure


def _draw(axes: Axes, rows: Sequence[RunRow]) -> None:
    gaps: dict[str, list[float]] = {}
    for row in rows:
        if row.best_bound_gap is not None:
            gaps.setdefault(row.solver, []).append(max(100 * row.best_bound_gap, LEAST_PERCENT))
    solvers = sorted(gaps, key=lambda solver: (median(gaps[solver]), solver))
    kind = {row.solver: row.kind for row in rows}
    drawn = axes.boxplot(
        [gaps[solver] for solver in solvers],
        widths=0.6,
        patch_artist=True,
        medianprops={"color": "black"},
        flierprops={"marker": ".", "markersize": 4},
    )
    for box, solver in zip(drawn["boxes"], solvers, strict=True):
        box.set_facecolor(KIND_COLOURS.get(kind[solver], OTHER_COLOUR))
    names = [shorten(solver) for solver in solvers]
    axes.set_xticks(range(1, len(solvers) + 1), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda percent, _: f"{percent:g}"))
    axes.grid(axis="y")
