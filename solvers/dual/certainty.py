"""What a lower bound is, in one place: every bound that is formed, compared or closed passes through here.

1. A bound is a latency in seconds that no schedule of its region beats. Where it is computed it is finite, or -inf,
   which says nothing; NaN and +inf are what overflow leaves behind, and say nothing either (`certain`).
2. +inf is the bound of a region without a schedule, and is given only where every allocation has been ruled out one by
   one or by counting; it never comes from prices (`latency_bound_s`, an empty `ClosedRegions`).
3. A region is left out only if it holds no schedule or its bound exceeds a finite cutoff (`exceeds`). Before there is
   a schedule there is no cutoff.
4. Whatever is left out, forbidden or finished stays in the account with its bound (`ClosedRegions`), and what is
   claimed is the least of all. A bound that is no number cannot be entered.
"""

from __future__ import annotations

import math

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray
from epsl_opt.core.checker import RELATIVE_TOLERANCE

MARGIN = 0.99
"""Prune at a little less than the gap asked for, so that rounding never leaves it unproved."""

ROUNDING = 1e-11
"""Relative rounding of a latency with its best powers, with room to spare."""


def certain(bound_s: FloatArray) -> FloatArray:
    """Turn computed bounds that are not finite into -inf."""
    return np.where(np.isfinite(bound_s), bound_s, -np.inf)


def latency_bound_s(least_latency_s: float) -> float:
    """Bound a region by the least latency of all its allocations; inf if none of them serves every client."""
    return -math.inf if math.isnan(least_latency_s) else least_latency_s * (1 - ROUNDING)


def cutoff_s(latency_s: float, rel_gap: float) -> float:
    """Return what a bound must exceed to prove the gap for a schedule of that latency; inf if there is none."""
    return latency_s * (1 - MARGIN * min(max(rel_gap, RELATIVE_TOLERANCE), 1.0))


def exceeds(bound_s: FloatArray | float, cutoff: float) -> BoolArray:
    """Whether regions with these bounds may be left out: those without a schedule, and what a finite cutoff beats."""
    bound_s = np.asarray(bound_s)
    return np.asarray((bound_s == np.inf) | (math.isfinite(cutoff) & (bound_s > cutoff)))


class ClosedRegions:
    """The account of all regions that are not looked at any more."""

    def __init__(self) -> None:
        self.bound_s = math.inf

    def add(self, bound_s: float) -> None:
        """Enter a region with its bound; inf if it is proved to hold no schedule.

        Raises
        ------
        ArithmeticError
            If the bound is NaN.
        """
        if math.isnan(bound_s):
            raise ArithmeticError("a region with a bound that is no number cannot be closed")
        self.bound_s = min(self.bound_s, bound_s)
