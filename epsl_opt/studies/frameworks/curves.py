"""Accuracy over rounds and over simulated time: the rows, and the pictures drawn from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from epsl_opt.plugins.study import Picture, Row
from epsl_opt.report.intervals import mean_interval
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.shared.figures import NUMBERED, draw_rows, grid, legend_below, picture
from epsl_opt.studies.shared.rows import columns, distinct, number, select, whole
from epsl_opt.studies.shared.trained import Versus, trained


def curve_rows(rows: Sequence[Row], settings: Sequence[str], methods: Sequence[str], reference: str) -> list[Row]:
    """Return the accuracy of every method at each round that all its seeds evaluated.

    A method's round is counted in rounds of the reference, over the seeds that ran with both.
    """
    return [
        row
        for setting in settings
        for base in [trained(rows, kind="training", setting=setting, method=reference)]
        for method in methods
        for mine in [trained(rows, kind="training", setting=setting, method=method)]
        for versus in [Versus.on_common_seeds(base, mine)]
        if versus.mine
        for row in _curve(select(rows, kind="evaluation", setting=setting, method=method), len(mine), versus)
    ]


def _curve(evaluations: Sequence[Row], seeds: int, versus: Versus) -> Iterator[Row]:
    by_round: dict[int, list[float]] = {}
    for row in evaluations:
        by_round.setdefault(whole(row, "round"), []).append(number(row, "accuracy"))
    in_reference_rounds = versus.latency.mean
    for finished, accuracies in by_round.items():
        if len(accuracies) == seeds:
            yield {
                "setting": evaluations[0]["setting"],
                "method": evaluations[0]["method"],
                "round": finished,
                "time_in_psl_rounds": finished * in_reference_rounds,
                **columns(mean_interval(accuracies), "accuracy"),
                "seeds": seeds,
            }


def draw_curves(curves: Sequence[Row], methods: Sequence[str], seeds: int, name: str) -> Picture:
    """Draw a row of panels per setting: over rounds, and over simulated time."""
    settings = distinct(curves, "setting")
    with styled():
        figure, lines = grid(len(settings), 2, 8.0, 0.7 + 2.5 * len(settings), share_y="row")
        for panels, setting in zip(lines, settings, strict=True):
            here = select(curves, setting=setting)
            for axes, x in zip(panels, ("round", "time_in_psl_rounds"), strict=True):
                for method in distinct(here, "method"):
                    look = replace(NUMBERED[methods.index(method)], marker="")
                    draw_rows(axes, select(here, method=method), x, "accuracy", look, method, 100)
                axes.grid()
            panels[0].set(title=setting, ylabel="test accuracy, %", ylim=(0, 100))
            longest, most = (max(number(row, x) for row in here) for x in ("time_in_psl_rounds", "round"))
            panels[1].set_xlim(0, min(longest, 1.5 * most))
        lines[-1][0].set_xlabel("rounds")
        lines[-1][1].set_xlabel("simulated time, in PSL's round latencies")
        legend_below(figure, lines[0][0], 6, handle=3.5)
    caption = (
        f"Test accuracy, means over {seeds} seeds and 95 % confidence intervals. Simulated time is counted in rounds "
        "of PSL on the same draw of the scenario, since seconds differ widely between draws; the axis ends at one and "
        "a half times PSL's training."
    )
    last = {(row["setting"], row["method"]): number(row, "accuracy") for row in curves}
    said = "; ".join(f"{setting}, {method} {100 * accuracy:.1f} %" for (setting, method), accuracy in last.items())
    return picture(name, caption, f"Accuracy at the end: {said}", figure, curves)
