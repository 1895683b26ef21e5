"""Own prices of classes to start from: each the best of a few multiples, one kind of price after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.solvers.dual.count_iterate import MOST_PRICE
from epsl_opt.solvers.dual.count_model import CountModel, Shared

MULTIPLES = (0.03, 0.1, 0.3, 0.56, 1.8, 3.2, 10.0, 30.0)
"""Tried, and their roots."""

ROUGHLY, ANEW, AGAIN = (1,), (1, 2), (2, 4)
"""Which roots: to tell classes apart, for prices of any size, and for good ones."""

TOGETHER = ((0, 2), (1,), (0,), (2,))
"""Which prices are multiplied at once: uplink rate and power, downlink rate, then each alone."""

RANGE = (0.02, 0.5 * MOST_PRICE)
LEAST = 0.003


def sharpened(
    model: CountModel, limits: FloatArray, own: FloatArray, shared: Shared, roots: Sequence[int] = ANEW
) -> FloatArray:
    """Return own prices at which classes cost about as much as they can, shape (classes, 5).

    Parameters
    ----------
    model
        Whose classes.
    limits
        `CountModel.limits` at the rates needed.
    own
        Prices to start from; their count prices do not matter.
    shared
        What all clients see.
    roots
        How fine the multiples are, pass by pass.
    """
    best = np.where(model.moving, np.clip(own, *RANGE), 0.0)
    cost = class_costs(model, limits, best, shared)
    for root in roots:
        for kinds in TOGETHER:
            centre = best
            for multiple in MULTIPLES:
                tried = centre.copy()
                tried[:, kinds] = np.clip(tried[:, kinds] * multiple ** (1 / root), LEAST, RANGE[1])
                tried = np.where(model.moving, tried, 0.0)
                dearer = class_costs(model, limits, tried, shared)
                better = dearer > cost
                best = np.where(better[:, None], tried, best)
                cost = np.maximum(cost, dearer)
    return best


def class_costs(model: CountModel, limits: FloatArray, own: FloatArray, shared: Shared) -> FloatArray:
    """What classes pay at the rates needed, shape (classes,)."""
    cost: FloatArray = (limits[:, :2] * own[:, :2]).sum(axis=1) + model.held_cost(own, shared)
    return cost
