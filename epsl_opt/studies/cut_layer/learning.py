"""Leakage and accuracy by cut layer, beside its latency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from epsl_opt.plugins.study import Finding, Picture, Row, Table, Verdict
from epsl_opt.report.intervals import Interval, mean_interval, paired_difference, paired_ratio
from epsl_opt.report.plots.style import new_figure, styled
from epsl_opt.studies.shared.interval_lines import draw_line
from epsl_opt.studies.shared.judging import judge_more, points

LEAKAGE, INITIAL, ACCURACY, LATENCY = "leakage", "initial_leakage", "final_accuracy", "round_latency_s"


@dataclass(frozen=True)
class ByCut:
    """A method's numbers in a setting: cut layer -> seed -> row, cut layers in the order of the network."""

    setting: str
    method: str
    rows: dict[str, dict[int, Row]]

    def values(self, cut: str, column: str) -> dict[int, float]:
        """Return a column at a cut layer, by seed."""
        return {seed: float(row[column] or 0) for seed, row in sorted(self.rows[cut].items())}

    def mean(self, cut: str, column: str) -> Interval:
        """Return its mean."""
        return mean_interval([*self.values(cut, column).values()])

    def change(self, column: str) -> Interval:
        """Return the first cut layer's less the last's, on the same seeds."""
        first, last = (self.values(cut, column) for cut in (self.cuts[0], self.cuts[-1]))
        seeds = sorted(first.keys() & last.keys())
        return paired_difference([first[seed] for seed in seeds], [last[seed] for seed in seeds])

    @property
    def cuts(self) -> list[str]:
        """The cut layers."""
        return list(self.rows)

    @property
    def quickest(self) -> str:
        """The cut layer that is quickest in the geometric mean."""
        return min(self.cuts, key=lambda cut: self.latency(cut).mean)

    def latency(self, cut: str) -> Interval:
        """Return the round latency relative to the first cut layer's, on the same seeds."""
        mine, first = self.values(cut, LATENCY), self.values(self.cuts[0], LATENCY)
        seeds = sorted(mine.keys() & first.keys())
        return paired_ratio([mine[seed] for seed in seeds], [first[seed] for seed in seeds])


def by_cut(rows: Sequence[Row]) -> list[ByCut]:
    """Return the numbers of every method in every setting."""
    found: dict[tuple[str, str], dict[str, dict[int, Row]]] = {}
    for row in rows:
        of_method = found.setdefault((str(row["setting"]), str(row["method"])), {})
        of_method.setdefault(str(row["cut_layer"]), {})[int(row["seed"] or 0)] = row
    return [ByCut(setting, method, of_method) for (setting, method), of_method in found.items()]


def learning_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Judge what a later cut does to leakage and accuracy."""
    for found in (found for found in by_cut(rows) if len(found.cuts) > 1):
        where = f"{found.setting}, {found.method}"
        ends = f"{found.cuts[0]} less {found.cuts[-1]}"
        better = found.change(ACCURACY)
        told = f"{ends}: {points(better)}, {better.n} seeds"
        yield Finding(f"a network that is cut early learns better ({where})", judge_more(better), told)
        if found.method == "PSL":
            yield from _leakage(found, ends)
            yield _weighed(found)


def _leakage(found: ByCut, ends: str) -> Iterator[Finding]:
    for column, stage in ((INITIAL, "at initialisation"), (LEAKAGE, "after training")):
        told = found.change(column)
        claim = f"a later cut gives less away ({found.setting}, {stage})"
        yield Finding(claim, judge_more(told), f"distance correlation, {ends}: {told.text()}, {told.n} seeds")


def _weighed(found: ByCut) -> Finding:
    """Say what the quickest cut layer costs."""
    best, private = (
        pick(found.cuts, key=lambda cut: found.mean(cut, c).mean) for pick, c in ((max, ACCURACY), (min, LEAKAGE))
    )
    texts = [
        f"{what} {cut}: accuracy {100 * found.mean(cut, ACCURACY).mean:.1f} %, leakage "
        f"{found.mean(cut, LEAKAGE).mean:.2f}, latency {found.latency(cut).mean:.2g} of {found.cuts[0]}'s"
        for what, cut in (("quickest", found.quickest), ("most accurate", best), ("least leakage", private))
    ]
    return Finding(f"what has to be weighed ({found.setting}, PSL)", Verdict.OBSERVED, "; ".join(texts))


COLUMNS = (
    *("setting", "method", "cut_layer", "seeds", "accuracy", "accuracy_low", "accuracy_high"),
    *("leakage", "leakage_low", "leakage_high", "initial_leakage", "initial_low", "initial_high"),
    *("latency_ratio", "latency_low", "latency_high", "learning_rate"),
)


def learning_table(rows: Sequence[Row]) -> Table:
    """Return all numbers by setting, method and cut layer."""
    caption = (
        "Accuracy at the end, leakage after training and at initialisation, latency relative to the first cut layer's."
    )
    return Table("learning", caption, COLUMNS, [_row(found, cut) for found in by_cut(rows) for cut in found.cuts])


def _row(found: ByCut, cut: str) -> dict[str, Any]:
    accuracy, leak, initial = (found.mean(cut, column) for column in (ACCURACY, LEAKAGE, INITIAL))
    latency, rows = found.latency(cut), list(found.rows[cut].values())
    return {
        "setting": found.setting,
        "method": found.method,
        "cut_layer": cut,
        "seeds": accuracy.n,
        "accuracy": accuracy.mean,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "leakage": leak.mean,
        "leakage_low": leak.low,
        "leakage_high": leak.high,
        "initial_leakage": initial.mean,
        "initial_low": initial.low,
        "initial_high": initial.high,
        "latency_ratio": latency.mean,
        "latency_low": latency.low,
        "latency_high": latency.high,
        "learning_rate": rows[0]["lr"],
    }


def learning_pictures(rows: Sequence[Row], seeds: int) -> list[Picture]:
    """Draw latency, leakage and accuracy over the cut layers, a row of panels per setting."""
    everything = by_cut(rows)
    settings = list(dict.fromkeys(found.setting for found in everything))
    with styled():
        figure = new_figure(9.0, 0.7 + 2.5 * len(settings))
        for line, setting in zip(figure.subplots(len(settings), 3, squeeze=False), settings, strict=True):
            of_setting = [found for found in everything if found.setting == setting]
            for number, found in enumerate(of_setting):
                x = range(len(found.cuts))
                draw_line(line[0], x, [found.latency(cut) for cut in found.cuts], number, found.method)
                draw_line(line[1], x, [found.mean(cut, LEAKAGE) for cut in found.cuts], number, found.method)
                draw_line(line[2], x, [found.mean(cut, ACCURACY) for cut in found.cuts], number, found.method, 100)
            first = of_setting[0]
            initial = [first.mean(cut, INITIAL) for cut in first.cuts]
            draw_line(line[1], range(len(first.cuts)), initial, len(of_setting), "at initialisation")
            labels = ("latency / that of the first cut", "distance correlation", "test accuracy, %")
            for axes, label in zip(line, labels, strict=True):
                axes.set_xticks(range(len(first.cuts)), first.cuts)
                axes.set_ylabel(label)
                axes.grid()
            line[0].set_ylim(bottom=0)
            line[2].set_ylim(top=100)
            line[1].set_ylim(0, 1)
            line[0].set_title(f"{setting}: latency")
            line[1].set_title("leakage")
            line[2].set_title("accuracy at the end")
        handles = figure.axes[1].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=4, handlelength=4)
    table = learning_table(rows)
    caption = (
        "What a cut layer costs and what it gives away: round latency, bias-corrected squared distance correlation "
        f"between samples and smashed data, accuracy. Means over {seeds} seeds and 95 % confidence intervals."
    )
    alt = "Lines over cut layers. " + "; ".join(
        f"{row['setting']}, {row['method']}, {row['cut_layer']}: latency {row['latency_ratio']:.2f}, leakage "
        f"{row['leakage']:.2f}, accuracy {100 * float(row['accuracy'] or 0):.0f} %"
        for row in table.rows
    )
    return [Picture("trade-off", caption, alt, figure, Table("trade-off", caption, COLUMNS, table.rows))]
