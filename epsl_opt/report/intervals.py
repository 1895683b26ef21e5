"""Means over seeds with their uncertainty, and what it allows to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from epsl_opt.plugins.study import Verdict

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval (Student's t); the bounds are infinite for a single value."""

    mean: float
    low: float
    high: float
    n: int

    def text(self, digits: int = 3, unit: str = "") -> str:
        """Return `1.23 s [1.1, 1.36]` with so many significant digits."""
        middle, low, high = (f"{value:.{digits}g}" for value in (self.mean, self.low, self.high))
        return f"{middle}{unit} [{low}, {high}]"

    def percent(self, digits: int = 3) -> str:
        """Return fractions in per cent, as `text` does; what is under half a thousandth of one per cent is 0."""
        mean, low, high = (round(100 * value, 3) for value in (self.mean, self.low, self.high))
        return Interval(mean, low, high, self.n).text(digits, " %")

    def points(self) -> str:
        """Return a difference of fractions as `+1.23 points [+0.1, +2.36]`."""
        return f"{100 * self.mean:+.2f} points [{100 * self.low:+.2f}, {100 * self.high:+.2f}]"


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of independent values with its 95 % confidence interval.

    Raises
    ------
    ValueError
        If there are no values, or one is not finite.
    """
    if not len(values):
        raise ValueError("there are no values to take the mean of")
    if not np.isfinite(values).all():
        raise ValueError("a mean takes finite values")
    mean = float(np.mean(values))
    if len(values) == 1:
        return Interval(mean, -math.inf, math.inf, 1)
    half = _t(len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half, len(values))


def paired_difference(mine: Sequence[float], theirs: Sequence[float]) -> Interval:
    """Return the mean of `mine - theirs` over pairs that share a seed.

    Raises
    ------
    ValueError
        If the numbers of values differ, there are none, or one is not finite.
    """
    return mean_interval([a - b for a, b in zip(mine, theirs, strict=True)])


def paired_ratio(mine: Sequence[float], theirs: Sequence[float]) -> Interval:
    """Return the geometric mean of `mine / theirs` over pairs of values that share a seed.

    Raises
    ------
    ValueError
        If the numbers of values differ, there are none, or one is not positive and finite.
    """
    logs = mean_interval([_log(a) - _log(b) for a, b in zip(mine, theirs, strict=True)])
    return Interval(math.exp(logs.mean), _exp(logs.low), _exp(logs.high), logs.n)


def growth_exponent(x: Sequence[float], y: Sequence[float]) -> Interval:
    """Return the slope of log y over log x by least squares: y grows like x to that power.

    Raises
    ------
    ValueError
        If there are fewer than three points, all at one x, or a value is not positive and finite.
    """
    if len(x) < 3:
        raise ValueError("a growth exponent takes at least three points")
    log_x, log_y = (np.array([_log(value) for value in values]) for values in (x, y))
    from_middle = log_x - log_x.mean()
    if not (spread := float(from_middle @ from_middle)):
        raise ValueError("a growth exponent takes points at more than one x")
    slope = float(from_middle @ log_y) / spread
    residual = log_y - log_y.mean() - slope * from_middle
    half = _t(len(x) - 2) * math.sqrt(float(residual @ residual) / (len(x) - 2) / spread)
    return Interval(slope, slope - half, slope + half, len(x))


def judge_at_least(found: Interval, threshold: float) -> Verdict:
    """Return whether an interval says that the value is at least, or at most, `threshold`; neither leaves it open."""
    if found.low >= threshold:
        return Verdict.HOLDS
    return Verdict.FAILS if found.high < threshold else Verdict.OPEN


def judge_at_most(found: Interval, threshold: float) -> Verdict:
    """Return whether an interval says that the value is at most `threshold`, or more; neither leaves it open."""
    if found.high <= threshold:
        return Verdict.HOLDS
    return Verdict.FAILS if found.low > threshold else Verdict.OPEN


def _t(degrees_of_freedom: int) -> float:
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, degrees_of_freedom))


def _log(value: float) -> float:
    if not 0 < value < math.inf:
        raise ValueError(f"must be positive and finite, got {value}")
    return math.log(value)


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
