"""Rows of ended trainings: their numbers, and one way to train against another on the same seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from epsl_opt.plugins.study import Cell, Row, Verdict
from epsl_opt.report.intervals import Interval, judge_at_least
from epsl_opt.studies.shared.rows import columns, distinct, number, select, whole
from epsl_opt.studies.shared.seeds import difference, mean, ratio
from epsl_opt.studies.shared.to_target import SpeedUp, reach_of, speed_up

CLOSE = 0.01
"""Accuracies within a point are called similar."""

Trained = Mapping[int, Row]
"""Seed -> row, seeds ascending."""


def trained(rows: Sequence[Row], **wanted: Cell) -> Trained:
    """Return the rows with these values by seed."""
    by_seed = {whole(row, "seed"): row for row in select(rows, **wanted)}
    return {seed: by_seed[seed] for seed in sorted(by_seed)}


def values(found: Trained, column: str) -> dict[int, float]:
    """Return a column by seed."""
    return {seed: number(row, column) for seed, row in found.items()}


def summary(found: Trained) -> dict[str, Cell]:
    """Return what a way to train came to, as cells of several tables; there must be a row."""
    rows = list(found.values())
    rounds = [number(row, "rounds_to_target") for row in rows if row["rounds_to_target"] is not None]
    return {
        "seeds": len(rows),
        **columns(mean(values(found, "final_accuracy")), "accuracy"),
        "rounds_to_target": sum(rounds) / len(rounds) if rounds else None,
        "reached": len(rounds),
        "round_latency_s": sum(number(row, "round_latency_s") for row in rows) / len(rows),
        "cut_layers": " ".join(sorted(distinct(rows, "cut_layer"))),
        "learning_rate": rows[0]["lr"],
        "learning_rates": " ".join(sorted({f"{row['lr']:g}" for row in rows})),
        "diverged": sum(whole(row, "diverged") for row in rows),
    }


@dataclass(frozen=True)
class Versus:
    """One way to train, and another, on the same seeds."""

    mine: Trained
    theirs: Trained

    @classmethod
    def on_common_seeds(cls, mine: Trained, theirs: Trained) -> Versus:
        """Leave out the seeds that one of them lacks."""
        return cls(*({seed: of[seed] for seed in sorted(mine.keys() & theirs.keys())} for of in (mine, theirs)))

    @property
    def latency(self) -> Interval:
        """Their round over mine."""
        return ratio(*(values(found, "round_latency_s") for found in (self.theirs, self.mine)))

    @property
    def difference(self) -> Interval:
        """My accuracy at the end, less theirs."""
        return difference(*(values(found, "final_accuracy") for found in (self.mine, self.theirs)))

    @property
    def similar(self) -> Verdict:
        """Whether my accuracy is at most a point below theirs."""
        return judge_at_least(self.difference, -CLOSE)

    @property
    def speed_up(self) -> SpeedUp:
        """Their time to the target over mine."""
        theirs, mine = ([reach_of(row) for row in found.values()] for found in (self.theirs, self.mine))
        return speed_up(theirs, mine)
