"""Performance profiles: the share of instances on which a gap is proved, over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from benchmarks.exact_runs import Outcome
from benchmarks.exact_tables import by_solver
from epsl_opt.report.plots.style import new_figure, styled

STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))


def plot_profiles(outcomes: Sequence[Outcome], gaps: Sequence[float]) -> Figure:
    """Draw one panel per gap, a line per solver; runs that never prove the gap keep the line below 100 %."""
    limit_s = max(one.run.time_limit_s for one in outcomes)
    with styled():
        figure = new_figure(9.5, 3.4)
        panels = figure.subplots(1, len(gaps), sharey=True, squeeze=False)[0]
        for axes, gap in zip(panels, gaps, strict=True):
            _draw(axes, outcomes, gap, limit_s)
            axes.set_title(f"gap {gap:g}")
        panels[0].set_ylabel("instances proved")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _draw(axes: Axes, outcomes: Sequence[Outcome], gap: float, limit_s: float) -> None:
    for (name, group), style in zip(by_solver(outcomes).items(), STYLES, strict=False):
        times = sorted(time_s for one in group if math.isfinite(time_s := one.time_to_gap_s(gap)))
        share = [count / len(group) for count in range(len(times) + 1)]
        reached = [*times, limit_s]
        axes.plot([0.01, *reached], [0.0, *share[1:], share[-1]], linestyle=style, label=name, drawstyle="steps-post")
    axes.set_xscale("log")
    axes.set_xlim(0.01, limit_s)
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("time, s")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid()
