"""A comparison as bars: how long a round takes by each solver, against the best bound known."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from epsl_opt.campaigns.ranking import RunRow, SolverSummary
from epsl_opt.report.plots.style import MARK, new_figure, shorten, styled

KIND_COLOURS = {"exact": "#0072B2", "relaxation": "#56B4E9", "heuristic": "#009E73", "baseline": "#999999"}
OTHER_COLOUR = "#CC79A7"
"""Kind of a solver -> colour of its bar, and the colour of any other kind."""


def plot_instance(rows: Sequence[RunRow]) -> Figure:
    """Draw the verified runs of one instance, best first; labels are latencies and gaps to the best bound."""
    scored = [(row, row.latency_s) for row in rows if row.latency_s is not None]
    names = [row.solver for row, _ in scored]
    labels = [_label(latency, row.best_bound_gap) for row, latency in scored]
    bound_s = scored[0][0].best_bound_s if scored else None
    with styled():
        figure, axes = _bars(names, [latency for _, latency in scored], labels)
        for bar, (row, _) in zip(axes.patches, scored, strict=True):
            bar.set_facecolor(KIND_COLOURS.get(row.kind, OTHER_COLOUR))
        axes.set_title(f"{shorten(scored[0][0].instance, 40)}: round latency by solver")
        axes.set_xlabel("round latency, s (only verified schedules)")
        if bound_s is not None:
            axes.axvline(bound_s, color=MARK, linewidth=1.2, linestyle=(0, (4, 2)), label=f"best bound {bound_s:.4g} s")
        _legend(figure, axes, {row.kind for row, _ in scored})
    return figure


def plot_overview(summary: Sequence[SolverSummary]) -> Figure:
    """Draw the median latency over all instances by solver; labels say on how many it has a schedule and wins."""
    scored = [(line, line.median_latency_s) for line in summary if line.median_latency_s is not None]
    scored.sort(key=lambda pair: pair[1])
    labels = [f"{median:#.5g} s, best on {line.wins} of {line.runs}" for line, median in scored]
    with styled():
        figure, axes = _bars([line.solver for line, _ in scored], [median for _, median in scored], labels)
        axes.set_title(f"Median round latency over {max(line.runs for line, _ in scored)} instances")
        axes.set_xlabel("median round latency, s (only verified schedules)")
    return figure


def _bars(names: Sequence[str], latency_s: Sequence[float], labels: Sequence[str]) -> tuple[Figure, Axes]:
    figure = new_figure(8.0, max(2.2, 1.5 + 0.3 * len(names)))
    axes = figure.subplots()
    bars = axes.barh(range(len(names)), latency_s, height=0.7)
    axes.bar_label(bars, labels, padding=4, fontsize=8, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})
    axes.set_yticks(range(len(names)), [shorten(name) for name in names])
    axes.invert_yaxis()
    # Room for the labels, which stand to the right of the bars.
    axes.set_xlim(0, max(latency_s) * 1.32 or 1.0)
    axes.grid(axis="x")
    return figure, axes


def _label(latency_s: float, gap: float | None) -> str:
    if gap is None:
        return f"{latency_s:#.5g} s"
    return f"{latency_s:#.5g} s, gap {100 * gap:.2g} %" if gap >= 5e-6 else f"{latency_s:#.5g} s, gap 0.000 %"


def _legend(figure: Figure, axes: Axes, kinds: set[str]) -> None:
    for kind, colour in KIND_COLOURS.items():
        if kind in kinds:
            axes.bar(0, 0, color=colour, label=kind)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=5)
