"""Primal and dual iterates of the interior-point method for the dual per count, and how they move."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.solvers.dual.count_model import CountModel, Shared

TO_BOUNDARY = 0.99
MOST_PRICE = 300.0
"""Own rate and power prices end here, in their units: those of counts that cannot serve would run away."""

LEAST_START = 0.05
"""Prices start at no less, in their units."""

Pair = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class CountIterate:
    """Where the method is; also a step, with changes in the fields.

    Unknowns: `own` (classes, 5), `subchannel` (subchannels,) and `total` () prices, `client` (clients,) the least cost
    of each client; `over`, `under` (classes, subchannels) how far a subchannel's price net of its value lies below and
    above the count price; `surplus` (classes,) how much a class costs beyond the least.
    Their multipliers: `held` of `under` and `left` of `over` (how much of the subchannel the class holds and leaves),
    `share` of `surplus` (how much of the client is in the class), `low`, `high` and `spare` of the limits of `own` and
    `total`, and `scale` () of the prices' normalisation.
    """

    own: FloatArray
    subchannel: FloatArray
    total: FloatArray
    client: FloatArray
    over: FloatArray
    under: FloatArray
    surplus: FloatArray
    held: FloatArray
    left: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    spare: FloatArray
    scale: FloatArray

    def moved(self, step: CountIterate, primal: float, dual: float) -> CountIterate:
        """Go `primal` of the way of the unknowns and `dual` of that of the multipliers."""
        unknown = {"own", "subchannel", "total", "client", "over", "under", "surplus"}
        return CountIterate(
            *(
                getattr(self, field.name) + (primal if field.name in unknown else dual) * getattr(step, field.name)
                for field in fields(self)
            )
        )


@dataclass(frozen=True, eq=False)
class Limited:
    """Which own prices have limits: all positive ones from below, those of rates and power from above."""

    below: BoolArray
    above: BoolArray

    @classmethod
    def of(cls, model: CountModel) -> Limited:
        """Read them off a model."""
        above = model.positive.copy()
        above[:, 3:] = False
        return cls(model.positive, above)

    def pairs(self, at: CountIterate) -> tuple[Pair, ...]:
        """Every unknown that must stay positive, with its multiplier; one and zero where there is no limit."""
        return (
            (at.over, at.left),
            (at.under, at.held),
            (at.surplus, at.share),
            (np.where(self.below, at.own, 1.0), at.low),
            (np.where(self.above, MOST_PRICE - at.own, 1.0), at.high),
            (at.total, at.spare),
        )

    def changes(self, step: CountIterate) -> tuple[Pair, ...]:
        """How a step changes the pairs."""
        return (
            (step.over, step.left),
            (step.under, step.held),
            (step.surplus, step.share),
            (np.where(self.below, step.own, 0.0), step.low),
            (np.where(self.above, -step.own, 0.0), step.high),
            (step.total, step.spare),
        )

    @cached_property
    def count(self) -> int:
        """How many own prices have limits."""
        return int(self.below.sum() + self.above.sum())

    def lengths(self, at: CountIterate, step: CountIterate) -> tuple[float, float]:
        """How far unknowns and multipliers may go."""
        primal = dual = 1.0
        for (value, price), (change, price_change) in zip(self.pairs(at), self.changes(step), strict=True):
            primal = min(primal, _boundary(value, change))
            dual = min(dual, _boundary(price, price_change))
        return primal, dual


def complementarity(pairs: tuple[Pair, ...]) -> float:
    """The sum of all products: the gap of a feasible iterate, in units."""
    return float(sum((value * price).sum() for value, price in pairs))


def _boundary(value: FloatArray, change: FloatArray) -> float:
    falling = change < 0
    if not falling.any():
        return 1.0
    ratio = np.divide(-value, change, out=np.full_like(change, np.inf), where=falling)
    return min(1.0, TO_BOUNDARY * float(ratio.min()))


def starting_iterate(
    model: CountModel, own: FloatArray, shared: Shared, share: FloatArray, limits: FloatArray, spread: float
) -> CountIterate:
    """Build an iterate well inside all limits around given prices.

    Parameters
    ----------
    model
        Whose classes.
    own, shared
        Prices in units; of `own`, shape (classes, 5), only rates and power count.
    share
        How much of each client is in each class, shape (classes,), positive, of sum one per client.
    limits
        `CountModel.limits` at the rates needed.
    spread
        How far inside, in units.
    """
    classes, limited, M = model.classes, Limited.of(model), model.n_subchannels
    scale = M / (shared.subchannel.sum() + model.total_power * shared.total_power)
    own = np.clip(own * scale, LEAST_START, 0.9 * MOST_PRICE)
    subchannel, total = shared.subchannel * scale, np.array(max(shared.total_power * scale, LEAST_START))
    net = subchannel - model.respond(own, float(total)).value
    count = _count_price(net, np.where(classes.least == 1, classes.most, classes.least))
    own[:, 3] = np.where(classes.single, count, np.maximum(count, 0.0) + 0.3 * spread)
    own[:, 4] = np.where(classes.single, 0.0, np.maximum(-count, 0.0) + 0.3 * spread)
    own = np.where(model.moving, own, 0.0)
    excess = (own[:, 3] - own[:, 4])[:, None] - net
    over = np.maximum(excess, 0.0) + spread
    under = over - excess
    held = share[:, None] * over / (over + under)
    cost = (limits * own).sum(axis=1) - over.sum(axis=1)
    client = classes.cheapest(cost) - spread * M / len(classes.first)
    average = float((held * under).mean())
    return CountIterate(
        own=own,
        subchannel=subchannel,
        total=total,
        client=client,
        over=over,
        under=under,
        surplus=cost - client[classes.client],
        held=held,
        left=share[:, None] - held,
        share=share,
        low=np.where(limited.below, average / np.where(limited.below, own, 1.0), 0.0),
        high=np.where(limited.above, average / np.where(limited.above, MOST_PRICE - own, 1.0), 0.0),
        spare=average / total,
        scale=np.array(held.sum() / M),
    )


def _count_price(net: FloatArray, count: IntArray) -> FloatArray:
    """Between the last subchannel that a class of so many holds and the next."""
    ordered, row = np.sort(net, axis=1), np.arange(len(net))
    last = np.minimum(count, net.shape[1]) - 1
    between: FloatArray = (ordered[row, last] + ordered[row, np.minimum(last + 1, net.shape[1] - 1)]) / 2
    return between
