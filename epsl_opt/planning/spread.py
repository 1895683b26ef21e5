"""How far rounds to target differ between seeds, and the intervals that follow for their typical number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from scipy import stats

LEVEL = 0.9
"""Two-sided, of the interval on the rounds to target."""

ASSUMED_SPREAD, ASSUMED_WEIGHT = 0.2, 4
"""Standard deviation of log N between seeds before any is seen, and for how many seeds' worth that counts."""


@dataclass(frozen=True)
class RoundsInterval:
    """Between what the typical (geometric mean over seeds) rounds to target lie; `high` is inf where it is not known.

    `typical` is the estimate, None where no seed has got there.
    """

    low: float
    high: float
    typical: float | None = None


@dataclass(frozen=True)
class Spread:
    """The standard deviation of log N between seeds, and how many seeds' worth it is known from.

    A point's own seeds are too few to tell its spread: this one counts beside them.
    """

    log_sd: float = ASSUMED_SPREAD
    weight: float = ASSUMED_WEIGHT
    level: float = LEVEL

    @classmethod
    def pooled(cls, groups: Iterable[Sequence[float]], level: float = LEVEL) -> Spread:
        """Return the spread within groups of rounds to target, one group a point, beside what is assumed."""
        squares, freedom = ASSUMED_WEIGHT * ASSUMED_SPREAD**2, float(ASSUMED_WEIGHT)
        for group in groups:
            squares += _squares([math.log(rounds) for rounds in group])
            freedom += max(len(group) - 1, 0)
        return cls(math.sqrt(squares / freedom), ASSUMED_WEIGHT, level)

    def half_width(self, logs: Sequence[float]) -> float:
        """Return half the width of the interval on the mean of log N (Student's t)."""
        freedom = self.weight + len(logs) - 1
        variance = (self.weight * self.log_sd**2 + _squares(logs)) / freedom
        return _t(self.level, freedom) * math.sqrt(variance / len(logs))

    def interval(self, reached: Sequence[float]) -> RoundsInterval:
        """Return the interval from the rounds to target of some seeds, all of which got there."""
        logs = [math.log(rounds) for rounds in reached]
        middle, half = sum(logs) / len(logs), self.half_width(logs)
        return RoundsInterval(max(math.exp(middle - half), 1.0), math.exp(middle + half), math.exp(middle))

    def least(self, at_least: Sequence[float]) -> float:
        """Return the lower end, where each seed is known to need at least so many rounds; inf for one that never will.

        What is at least so far apart may be nearer: the spread alone counts, not that of these numbers.
        """
        if math.inf in at_least:
            return math.inf
        middle = sum(map(math.log, at_least)) / len(at_least)
        half = _t(self.level, self.weight) * self.log_sd / math.sqrt(len(at_least))
        return max(math.exp(middle - half), 1.0)

    def single(self, reached: Sequence[float]) -> tuple[float, float]:
        """Return between what the rounds to target of one more seed lie."""
        logs = [math.log(rounds) for rounds in reached]
        middle, half = sum(logs) / len(logs), self.half_width(logs) * math.sqrt(len(logs) + 1)
        return max(math.exp(middle - half), 1.0), math.exp(middle + half)


def _squares(logs: Sequence[float]) -> float:
    middle = sum(logs) / len(logs) if logs else 0.0
    return sum((value - middle) ** 2 for value in logs)


@cache
def _t(level: float, freedom: float) -> float:
    return float(stats.t.ppf((1 + level) / 2, freedom))
