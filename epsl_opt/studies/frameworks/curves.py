"""Accuracy over rounds and over simulated time, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from epsl_opt.plugins.study import Picture, Row, Table
from epsl_opt.report.intervals import Interval, mean_interval, paired_ratio
from epsl_opt.report.plots.style import new_figure, styled
from epsl_opt.studies.frameworks.pairs import trainings
from epsl_opt.studies.shared.interval_lines import draw_line


@dataclass(frozen=True)
class Curve:
    """A method in a setting: accuracy at each evaluated round, and its round in rounds of PSL."""

    setting: str
    method: str
    rounds: tuple[int, ...]
    accuracy: tuple[Interval, ...]
    in_psl_rounds: float

    @property
    def times(self) -> list[float]:
        """Simulated time of each evaluation, in round latencies of PSL."""
        return [number * self.in_psl_rounds for number in self.rounds]


def curves(rows: Sequence[Row], settings: Sequence[str], methods: Sequence[str], reference: str) -> list[Curve]:
    """Return the curve of every method that ran in a setting, over the seeds that ran with the reference, too."""
    found = [curve for setting in settings for curve in _of_setting(rows, setting, methods, reference)]
    return [curve for curve in found if curve.rounds]


def _of_setting(rows: Sequence[Row], setting: str, methods: Sequence[str], reference: str) -> list[Curve]:
    base, found = trainings(rows, setting, reference), []
    for method in methods:
        mine = trainings(rows, setting, method)
        seeds = sorted(mine.keys() & base.keys())
        if not seeds:
            continue
        latencies = [[float(of[seed]["round_latency_s"] or 0) for seed in seeds] for of in (mine, base)]
        by_round: dict[int, list[float]] = {}
        for row in rows:
            if (row["kind"], row["setting"], row["method"]) == ("evaluation", setting, method):
                by_round.setdefault(int(row["round"] or 0), []).append(float(row["accuracy"] or 0))
        whole = {number: values for number, values in by_round.items() if len(values) == len(mine)}
        rounds, accuracy = tuple(whole), tuple(mean_interval(values) for values in whole.values())
        found.append(Curve(setting, method, rounds, accuracy, paired_ratio(*latencies).mean))
    return found


def draw_curves(found: Sequence[Curve], methods: Sequence[str], seeds: int, name: str) -> Picture:
    """Draw a row of panels per setting: over rounds, and over simulated time."""
    settings = list(dict.fromkeys(curve.setting for curve in found))
    with styled():
        figure = new_figure(8.0, 0.7 + 2.5 * len(settings))
        panels = figure.subplots(len(settings), 2, sharey="row", squeeze=False)
        for row, setting in zip(panels, settings, strict=True):
            of_setting = [curve for curve in found if curve.setting == setting]
            for curve in of_setting:
                number = methods.index(curve.method)
                for axes, x in zip(row, (curve.rounds, curve.times), strict=True):
                    draw_line(axes, x, curve.accuracy, number, curve.method, 100, marked=False)
            row[0].set_title(setting)
            row[0].set_ylabel("test accuracy, %")
            row[0].set_ylim(0, 100)
            longest, most = max(curve.times[-1] for curve in of_setting), max(curve.rounds[-1] for curve in of_setting)
            row[1].set_xlim(0, min(longest, 1.5 * most))
            for axes in row:
                axes.grid()
        panels[-1][0].set_xlabel("rounds")
        panels[-1][1].set_xlabel("simulated time, in PSL's round latencies")
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=6, handlelength=3.5)
    caption = (
        f"Test accuracy, means over {seeds} seeds and 95 % confidence intervals. Simulated time is counted in rounds "
        "of PSL on the same draw of the scenario, since seconds differ widely between draws; the axis ends at one and "
        "a half times PSL's training."
    )
    alt = "Accuracy at the end: " + "; ".join(
        f"{curve.setting}, {curve.method} {100 * curve.accuracy[-1].mean:.1f} %" for curve in found
    )
    return Picture(name, caption, alt, figure, _numbers(name, caption, found))


def _numbers(name: str, caption: str, found: Sequence[Curve]) -> Table:
    rows: list[dict[str, Any]] = [
        {
            "setting": curve.setting,
            "method": curve.method,
            "round": number,
            "time_in_psl_rounds": time,
            "accuracy": value.mean,
            "accuracy_low": value.low,
            "accuracy_high": value.high,
            "seeds": value.n,
        }
        for curve in found
        for number, time, value in zip(curve.rounds, curve.times, curve.accuracy, strict=True)
    ]
    return Table(name, caption, tuple(rows[0]), rows)
