"""Good prices per client and count at given phase ends, by a primal-dual interior-point method."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgWarning

from epsl_opt.core.arrays import FloatArray
from epsl_opt.solvers.dual.count_iterate import CountIterate
from epsl_opt.solvers.dual.count_model import CountModel, Shared
from epsl_opt.solvers.dual.count_step import CountStep

MOST_STEPS = 90
STALLED = 1e-8
FLOOR = 1e-4
"""Every class counts at least this much, so that prices of classes that are not the cheapest get good, too."""


@dataclass(frozen=True, eq=False)
class CountPrices:
    """Prices found, in the model's units: `own`, shape (classes, 5), and what all share.

    `held` is how much of each subchannel each class holds in the relaxation, shape (classes, subchannels); `steps` is
    how many were made.
    """

    own: FloatArray
    shared: Shared
    held: FloatArray
    steps: int


def raise_count_dual(
    model: CountModel,
    limits: FloatArray,
    start: CountIterate,
    accuracy: float,
    stop: Callable[[], bool] = lambda: False,
) -> CountPrices:
    """Raise what the clients pay beyond the shared costs, as far as it goes.

    Parameters
    ----------
    model
        Cut layer, classes and units.
    limits
        `CountModel.limits` at the rates needed.
    start
        Where to start, from `starting_iterate`.
    accuracy
        Solved once the gap is this part of all prices.
    stop
        Asked between steps whether time is up; what is found until then is returned.
    """
    at, best, steps = start, start, 0
    M = model.n_subchannels
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        while steps < MOST_STEPS and not stop():
            steps += 1
            found = _advanced(model, limits, at)
            if found is None:
                break
            at, length, gap = found
            best = at
            if gap < accuracy * M or length < STALLED:
                break
    own = np.where(model.positive, np.maximum(best.own, 0.0), best.own)
    return CountPrices(own, Shared(best.subchannel, max(float(best.total), 0.0)), best.held, steps)


def _advanced(model: CountModel, limits: FloatArray, at: CountIterate) -> tuple[CountIterate, float, float] | None:
    """Make a step; None if its system is singular or leads out of the range of numbers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LinAlgWarning)
            found = CountStep(model, limits, at, FLOOR).advanced()
    except np.linalg.LinAlgError:
        return None
    parts = (found[0].own, found[0].subchannel, found[0].share)
    return found if all(np.isfinite(part).all() for part in parts) else None
