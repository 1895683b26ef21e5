"""EPSL against each other framework on the same seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from epsl_opt.plugins.study import Row, Table, Verdict
from epsl_opt.report.intervals import Interval, judge_at_least, mean_interval, paired_difference, paired_ratio
from epsl_opt.studies.shared.to_target import SpeedUp, reach_of, speed_up

CLOSE = 0.01
"""Accuracies within a point are called similar."""


@dataclass(frozen=True)
class Pair:
    """One method against another in a setting.

    Parameters
    ----------
    latency
        The other's round over this one's.
    difference
        This one's accuracy at the end, less the other's.
    speed_up
        The other's time to the target over this one's.
    """

    setting: str
    method: str
    other: str
    latency: Interval
    difference: Interval
    speed_up: SpeedUp

    @property
    def similar(self) -> Verdict:
        """Whether this one's accuracy is at most a point below the other's."""
        return judge_at_least(self.difference, -CLOSE)

    @property
    def sooner(self) -> Verdict:
        """Whether this one reaches the target in less simulated time."""
        return self.speed_up.verdict()

    @property
    def shorter(self) -> Verdict:
        """Whether this one's round is shorter."""
        return judge_at_least(self.latency, 1.0)

    def row(self) -> dict[str, Any]:
        """Return it as a row."""
        ratio, away = self.speed_up.ratio, self.speed_up
        return {
            "setting": self.setting,
            "method": self.method,
            "other": self.other,
            "seeds": self.latency.n,
            "latency_ratio": self.latency.mean,
            "latency_low": self.latency.low,
            "latency_high": self.latency.high,
            "accuracy_difference": self.difference.mean,
            "difference_low": self.difference.low,
            "difference_high": self.difference.high,
            "similar_accuracy": self.similar.value,
            "time_ratio": None if ratio is None else ratio.mean,
            "time_low": None if ratio is None else ratio.low,
            "time_high": None if ratio is None else ratio.high,
            "not_reached": away.mine_missing + away.neither,
            "other_not_reached": away.theirs_missing + away.neither,
            "sooner": self.sooner.value,
        }


def trainings(rows: Sequence[Row], setting: str, method: str) -> dict[int, Row]:
    """Return the rows of ended trainings by seed."""
    wanted = {"kind": "training", "setting": setting, "method": method}
    found = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return {int(row["seed"] or 0): row for row in found}


def compare(rows: Sequence[Row], setting: str, method: str, other: str) -> Pair | None:
    """Compare over the seeds that ran with both; None if there are none."""
    mine, theirs = trainings(rows, setting, method), trainings(rows, setting, other)
    seeds = sorted(mine.keys() & theirs.keys())
    if not seeds:
        return None

    def values(found: dict[int, Row], column: str) -> list[float]:
        return [float(found[seed][column] or 0) for seed in seeds]

    return Pair(
        setting,
        method,
        other,
        latency=paired_ratio(values(theirs, "round_latency_s"), values(mine, "round_latency_s")),
        difference=paired_difference(values(mine, "final_accuracy"), values(theirs, "final_accuracy")),
        speed_up=speed_up([reach_of(theirs[seed]) for seed in seeds], [reach_of(mine[seed]) for seed in seeds]),
    )


def pair_table(pairs: Sequence[Pair]) -> Table:
    """Return all pairs as a table."""
    caption = (
        "EPSL against the others on the same seeds. Ratios are the other's over EPSL's: above 1, EPSL's round is "
        "shorter, or it reaches the target sooner. A ratio with trainings that did not reach it is a bound."
    )
    return Table("pairs", caption, tuple(pairs[0].row()), [pair.row() for pair in pairs])


METHOD_COLUMNS = (
    *("setting", "method", "seeds", "accuracy", "accuracy_low", "accuracy_high", "rounds_to_target", "reached"),
    *("round_latency_s", "cut_layers", "learning_rate", "diverged"),
)


def method_rows(rows: Sequence[Row], settings: Sequence[str], methods: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield each method's own numbers."""
    for setting in settings:
        for method in methods:
            found = list(trainings(rows, setting, method).values())
            if not found:
                continue
            accuracy = mean_interval([float(row["final_accuracy"] or 0) for row in found])
            rounds = [float(row["rounds_to_target"]) for row in found if row["rounds_to_target"] is not None]
            yield {
                "setting": setting,
                "method": method,
                "seeds": len(found),
                "accuracy": accuracy.mean,
                "accuracy_low": accuracy.low,
                "accuracy_high": accuracy.high,
                "rounds_to_target": sum(rounds) / len(rounds) if rounds else None,
                "reached": len(rounds),
                "round_latency_s": sum(float(row["round_latency_s"] or 0) for row in found) / len(found),
                "cut_layers": " ".join(sorted({str(row["cut_layer"]) for row in found})),
                "learning_rate": found[0]["lr"],
                "diverged": sum(int(row["diverged"] or 0) for row in found),
            }
