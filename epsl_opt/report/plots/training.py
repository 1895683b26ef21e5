"""Accuracy over simulated time: what a schedule and a framework are worth to somebody who waits for a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from epsl_opt.campaigns.trainings import TrainedCase
from epsl_opt.core.arrays import FloatArray
from epsl_opt.report.plots.style import MARK, new_figure, shorten, styled

LineStyle = tuple[float, tuple[float, ...]]

LINE_STYLES: tuple[LineStyle, ...] = ((0, ()), (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))
"""One per solver, in turn; frameworks differ in colour."""

TARGET, MAJORITY = "target", "majority class"

_MAX_MARKED_POINTS = 30


@dataclass(frozen=True, eq=False)
class Curve:
    """A method under a solver's schedule, over its seeds; arrays have shape (evaluated rounds,)."""

    method: str
    solver: str
    time_s: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray


def plot_training(cases: Sequence[TrainedCase]) -> Figure:
    """Draw test accuracy over simulated time, the mean over the seeds and their range, of cases of one instance."""
    curves = list(accuracy_curves(cases))
    methods = list(dict.fromkeys(curve.method for curve in curves))
    solvers = list(dict.fromkeys(curve.solver for curve in curves))
    with styled():
        figure = new_figure(8.0, 4.6)
        axes = figure.subplots()
        for curve in curves:
            _draw(axes, curve, f"C{methods.index(curve.method)}", _style(solvers, curve.solver))
        _label(axes, cases)
        handles = [Line2D([], [], color=f"C{i}", linewidth=2.5, label=name) for i, name in enumerate(methods)]
        if len(solvers) > 1:
            handles += [
                Line2D([], [], color="0.2", linestyle=_style(solvers, name), label=shorten(name)) for name in solvers
            ]
        handles += [line for line in axes.lines if line.get_label() in (TARGET, MAJORITY)]
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6), handlelength=3)
    return figure


def accuracy_curves(cases: Sequence[TrainedCase]) -> Iterator[Curve]:
    """Yield a curve per method and solver, in the order they come; it has the rounds evaluated with every seed."""
    groups: dict[tuple[str, str], list[TrainedCase]] = {}
    for trained in cases:
        groups.setdefault((trained.setup.method, trained.row.solver), []).append(trained)
    for (method, solver), seeds in groups.items():
        found = [{r.round: r.test_accuracy for r in t.records if r.test_accuracy is not None} for t in seeds]
        rounds = sorted(set.intersection(*map(set, found)))
        if not rounds:
            continue
        accuracy = np.array([[scores[number] for number in rounds] for scores in found])
        times_s = np.array([[trained.timing.simulated_time_s(number) for number in rounds] for trained in seeds])
        yield Curve(
            method,
            solver,
            times_s.mean(axis=0),
            accuracy.mean(axis=0),
            accuracy.min(axis=0),
            accuracy.max(axis=0),
        )


def _draw(axes: Axes, curve: Curve, colour: str, style: LineStyle) -> None:
    marker = "." if len(curve.time_s) <= _MAX_MARKED_POINTS else None
    axes.plot(curve.time_s, 100 * curve.mean, color=colour, linestyle=style, marker=marker, linewidth=1.4)
    if (curve.high > curve.low).any():
        axes.fill_between(curve.time_s, 100 * curve.low, 100 * curve.high, color=colour, alpha=0.15, linewidth=0)


def _style(solvers: Sequence[str], solver: str) -> LineStyle:
    return LINE_STYLES[solvers.index(solver) % len(LINE_STYLES)]


def _label(axes: Axes, cases: Sequence[TrainedCase]) -> None:
    plan, row = cases[0].setup.plan, cases[0].row
    axes.set_title(f"{shorten(row.instance, 40)}: accuracy over simulated time, {shorten(plan.task)}")
    axes.set_xlabel("simulated time, s")
    axes.set_ylabel("test accuracy, %")
    axes.set_xlim(left=0)
    axes.grid()
    dashed = (0, (4, 2))
    if row.target_accuracy is not None:
        axes.axhline(100 * row.target_accuracy, color=MARK, linewidth=1.0, linestyle=dashed, label=TARGET)
    if row.majority_rate is not None:
        axes.axhline(100 * row.majority_rate, color="0.5", linewidth=0.8, linestyle=dashed, label=MAJORITY)
