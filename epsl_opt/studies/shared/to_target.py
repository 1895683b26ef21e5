"""Times to a target, compared over seeds, where some trainings never get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from epsl_opt.plugins.study import Row, Verdict
from epsl_opt.report.intervals import Interval, judge_at_least, paired_ratio
from epsl_opt.studies.shared.rows import number


@dataclass(frozen=True)
class Reach:
    """When a training got to its target (None: never), and when it ended; any unit."""

    reached: float | None
    ended: float

    @property
    def at_least(self) -> float:
        """The time, or what it exceeds."""
        return self.ended if self.reached is None else self.reached


def reach_of(row: Row) -> Reach:
    """Return the simulated seconds of a row of a training."""
    reached = None if row["time_to_target_s"] is None else number(row, "time_to_target_s")
    return Reach(reached, number(row, "total_time_s"))


@dataclass(frozen=True)
class SpeedUp:
    """Their time over mine, where training that never got there counts until its end.

    Parameters
    ----------
    ratio
        Over the pairs of which at least one got there; None if there is no such pair.
    theirs_missing, mine_missing
        In how many of these pairs theirs (then the ratio is too small) or mine (then it is too large) did not.
    neither
        Pairs in which neither did.
    """

    ratio: Interval | None
    theirs_missing: int
    mine_missing: int
    neither: int

    def verdict(self) -> Verdict:
        """Say whether mine is quicker, as far as trainings that never got there allow."""
        if self.ratio is None or self.neither > self.ratio.n:
            return Verdict.OPEN
        found = judge_at_least(self.ratio, 1.0)
        too_good = found is Verdict.HOLDS and self.mine_missing > 0
        too_bad = found is Verdict.FAILS and self.theirs_missing > 0
        return Verdict.OPEN if too_good or too_bad else found

    def text(self) -> str:
        """Say the ratio, and what is behind it."""
        total = self.neither if self.ratio is None else self.neither + self.ratio.n
        if self.ratio is None:
            return f"neither got there on any of {total} seeds"
        counted = {
            "at most, not reached": self.mine_missing,
            "at least, the other did not reach it": self.theirs_missing,
            "neither reached it": self.neither,
        }
        notes = "; ".join(f"{note} on {count} of {total} seeds" for note, count in counted.items() if count)
        return self.ratio.text() + (f" ({notes})" if notes else "")


def speed_up(theirs: Sequence[Reach], mine: Sequence[Reach]) -> SpeedUp:
    """Compare trainings that share a seed pair by pair."""
    pairs = list(zip(theirs, mine, strict=True))
    told = [(a, b) for a, b in pairs if a.reached is not None or b.reached is not None]
    ratio = paired_ratio([a.at_least for a, _ in told], [b.at_least for _, b in told]) if told else None
    return SpeedUp(
        ratio,
        sum(a.reached is None for a, _ in told),
        sum(b.reached is None for _, b in told),
        len(pairs) - len(told),
    )
