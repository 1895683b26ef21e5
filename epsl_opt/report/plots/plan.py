"""Rounds to target against round latency: what is soonest lies towards the lower left, equal times on falling lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from epsl_opt.files.plan_document import Fate, PlanDocument, PlannedPoint
from epsl_opt.report.plots.style import MARK, new_figure, shorten, styled

MARKERS = {Fate.CONTENDER: "o", Fate.BY_PILOTS: "x", Fate.BY_LATENCY: "x", Fate.CENSORED: "^", Fate.WINNER: "*"}
FAINT = 0.35


def plot_plan(document: PlanDocument) -> Figure:
    """Draw every point with its interval on the rounds to target; arrows where only the lower end is known."""
    shown = [point for point in document.points if point.rounds_low is not None]
    frameworks = list(dict.fromkeys(point.framework.value for point in document.points))
    with styled():
        figure = new_figure(8.0, 5.2)
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set_yscale("log")
        for point in sorted(shown, key=lambda each: each.fate is Fate.WINNER):
            _draw(axes, point, f"C{frameworks.index(point.framework.value)}")
        if shown:
            _draw_equal_times(axes, document)
        _label(axes, document)
        figure.legend(handles=_handles(frameworks, shown), loc="outside lower center", ncols=5)
    return figure


def _draw(axes: Axes, point: PlannedPoint, colour: str) -> None:
    low, high, x = point.rounds_low or 1.0, point.rounds_high, point.round_latency_s
    alive = point.fate in (Fate.WINNER, Fate.CONTENDER)
    alpha, size = (1.0 if alive else FAINT), (190 if point.fate is Fate.WINNER else 26)
    middle = point.rounds or (low if high is None else float(np.sqrt(low * high)))
    if high is not None:
        axes.plot([x, x], [low, high], color=colour, alpha=alpha, linewidth=1.2)
    axes.scatter([x], [middle], s=size, marker=MARKERS[point.fate], color=colour, alpha=alpha, zorder=3)


def _draw_equal_times(axes: Axes, document: PlanDocument) -> None:
    """Draw lines of equal time, the winner's two ends in the colour of marks."""
    axes.autoscale(enable=False)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    x = np.array([left, right])
    for time_s in round_times_s(left * bottom, right * top):
        axes.plot(x, time_s / x, color="0.7", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
        y = min(top, time_s / left)
        if bottom < y and left <= time_s / y <= right:
            axes.annotate(f"{time_s:g} s", (time_s / y, y), color="0.45", fontsize=7, va="top")
    for end_s in (document.least_s, document.most_s):
        if end_s is not None:
            axes.plot(x, end_s / x, color=MARK, linewidth=1.0, zorder=0)


def round_times_s(low_s: float, high_s: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten in a range."""
    exponents = range(int(np.floor(np.log10(low_s))), int(np.ceil(np.log10(high_s))) + 1)
    times = [float(f"{factor}e{exponent}") for exponent in exponents for factor in (1, 2, 5)]
    return [time_s for time_s in times if low_s <= time_s <= high_s]


def _label(axes: Axes, document: PlanDocument) -> None:
    goal = "" if document.target_accuracy is None else f" {100 * document.target_accuracy:g} %"
    task = "" if document.task is None else f", {shorten(document.task)}"
    axes.set_title(f"{shorten(document.instance.name, 40)}{task}: what reaches{goal or ' the target'} soonest")
    axes.set_xlabel("mean round latency, s")
    axes.set_ylabel(f"rounds to{goal or ' target'}")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _handles(frameworks: Sequence[str], shown: Sequence[PlannedPoint]) -> list[Line2D]:
    fates = list(dict.fromkeys(point.fate for point in shown))
    handles = [Line2D([], [], color=f"C{i}", linewidth=2.5, label=name) for i, name in enumerate(frameworks)]
    return handles + [
        Line2D([], [], color="0.3", linestyle="", marker=MARKERS[fate], label=fate.value) for fate in fates
    ]
