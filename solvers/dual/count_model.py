"""The dual with prices per client and count, at given phase ends: variables, responses and costs of classes.

With a price mu_k on every subchannel and nu on the total power, a client that must reach given rates pays at least

    min over its classes n of  max over its prices (l, w, e) of
        l r + w r' - e P_i + the least sum of as many (mu_k - value_k) as the class allows,
    value_k = max_p [ l B_k ln(1 + p g_ik) - (e + nu) p ] + w D_ik,

whatever it holds and however it sends: weak duality for the client alone, with its number of subchannels fixed to the
class. If the clients together pay more than all subchannels and the total power cost, sum_k mu_k + nu P_th, no schedule
reaches the rates. Prices that differ per count make this the bound of Dantzig-Wolfe over counts.

The unknowns of a class are its `own` prices: uplink rate, downlink rate, power, and two count prices, c = first -
second, of which the second is missing where the class is a single count. All are in units that make them about one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.solvers.dual.count_classes import CountClasses
from epsl_opt.solvers.dual.lagrangian import EPSILON, ROUNDING, CutProblem, Prices, subchannel_values

OWN = 5
"""Prices of a class."""

LEAST_SCALE = 1e-3
"""A client's unit of a price is at least this part of the largest client's."""


@dataclass(frozen=True, eq=False)
class Units:
    """What one is in each price: of rates per client, of the power budget per client, of the total power, of all.

    `rate` in s/(nat/s), `downlink` in s/(bit/s) and `budget` in s/W have shape (clients,); `total` is in s/W, `second`
    the average price of a subchannel in s.
    """

    rate: FloatArray
    downlink: FloatArray
    budget: FloatArray
    total: float
    second: float

    @classmethod
    def of(cls, problem: CutProblem, prices: Prices) -> Units:
        """Take the sizes of the prices of a solved relaxation of one region."""
        value = subchannel_values(problem, problem.everything(), prices)[0].max(axis=0)
        nu = float(prices.total_power[0])
        budget = prices.power[0] + nu
        return cls(
            rate=_about(prices.rate[0]),
            downlink=_about(prices.downlink[0]),
            budget=_about(budget),
            total=nu if nu > LEAST_SCALE * budget.max() else float(_about(budget).mean()),
            second=max(float(value.mean()) + nu * problem.total_power_w / len(value), np.finfo(float).tiny),
        )


def _about(price: FloatArray) -> FloatArray:
    largest = float(price.max())
    return np.maximum(price, LEAST_SCALE * largest) if largest > 0 else np.ones_like(price)


@dataclass(frozen=True, eq=False)
class Shared:
    """Prices that all clients see, in their units: `subchannel` has shape (subchannels,)."""

    subchannel: FloatArray
    total_power: float


@dataclass(frozen=True, eq=False)
class Response:
    """What the classes do on each subchannel at their prices, arrays of shape (classes, subchannels).

    `value` is what they would pay, without the count price; `rate` and `downlink` its slopes in the rate prices,
    `power` in W; `budget` has shape (classes,), in s/W.
    """

    value: FloatArray
    rate: FloatArray
    downlink: FloatArray
    power: FloatArray
    budget: FloatArray


@dataclass(frozen=True, eq=False)
class CountModel:
    """A cut layer, classes of counts and the units of prices."""

    problem: CutProblem
    classes: CountClasses
    units: Units

    @property
    def n_subchannels(self) -> int:
        """M."""
        return int(self.problem.noise.shape[1])

    def take(self, index: IntArray | BoolArray) -> CountModel:
        """The same with some of the classes."""
        return replace(self, classes=self.classes.take(index))

    @cached_property
    def moving(self) -> BoolArray:
        """Which own prices there are, shape (classes, 5)."""
        moving = np.ones((len(self.classes.client), OWN), dtype=bool)
        moving[:, 0] = moving[:, 2] = self.problem.sends
        moving[:, 1] = self.problem.downlink_bits > 0
        moving[:, 4] = ~self.classes.single
        return moving

    @cached_property
    def positive(self) -> BoolArray:
        """Which own prices may not be negative: all but the count price of a single count."""
        positive = self.moving.copy()
        positive[:, 3] = ~self.classes.single
        return positive

    @cached_property
    def total_power(self) -> float:
        """P_th in units: what one unit of its price costs."""
        return self.problem.total_power_w * self.units.total / self.units.second

    @cached_property
    def rate_unit(self) -> FloatArray:
        """Of the classes' rate prices, shape (classes,)."""
        return self.units.rate[self.classes.client]

    @cached_property
    def budget_unit(self) -> FloatArray:
        """Of the classes' power prices, shape (classes,)."""
        return self.units.budget[self.classes.client]

    @cached_property
    def _noise(self) -> FloatArray:
        return self.problem.noise[self.classes.client]

    @cached_property
    def _rate_scale(self) -> FloatArray:
        return (self.rate_unit / self.units.second)[:, None] * self.problem.bandwidth_hz

    @cached_property
    def _downlink(self) -> FloatArray:
        scaled = (self.units.downlink / self.units.second)[:, None] * self.problem.downlink_bps
        return scaled[self.classes.client]

    def limits(self, rate: FloatArray, downlink: FloatArray) -> FloatArray:
        """What one unit of each own price gains or costs a class outside the subchannels, shape (classes, 5).

        Parameters
        ----------
        rate, downlink
            The rates needed, in nat/s and bit/s, shape (clients,).
        """
        units, client = self.units, self.classes.client
        gained = (
            (rate * units.rate / units.second)[client],
            (downlink * units.downlink / units.second)[client],
            (-self.problem.max_power_w * units.budget / units.second)[client],
            self.classes.least,
            -self.classes.most,
        )
        return np.where(self.moving, np.stack(gained, axis=1), 0.0)

    def respond(self, own: FloatArray, total_power: float) -> Response:
        """Evaluate the classes at their own prices, shape (classes, 5), and that of the total power."""
        budget = own[:, 2] * self.budget_unit + total_power * self.units.total
        level = np.divide(own[:, 0] * self.rate_unit, budget, out=np.zeros_like(budget), where=budget > 0)
        power = np.maximum(level[:, None] - self._noise, 0.0)
        rate = np.log1p(power / self._noise)
        rate *= self._rate_scale
        power *= self.problem.bandwidth_hz
        value = own[:, 0, None] * rate
        value -= (budget / self.units.second)[:, None] * power
        value += own[:, 1, None] * self._downlink
        return Response(value, rate, self._downlink, power, budget)

    def held_cost(self, own: FloatArray, shared: Shared) -> FloatArray:
        """Bound below what the classes pay for what they hold, less their power limit, shape (classes,).

        The sum of the least (mu_k - value_k), as many as the class allows, less e P_i; `ROUNDING` of all magnitudes is
        taken off.
        """
        response = self.respond(own, shared.total_power)
        net = shared.subchannel - response.value
        net.sort(axis=1)
        count = np.clip((net < 0).sum(axis=1), self.classes.least, self.classes.most)
        row = np.arange(len(count))
        paid = np.cumsum(net, axis=1)[row, count - 1]
        size = np.cumsum(np.abs(net), axis=1)[row, count - 1]
        terms = own[:, 0] * response.rate.max(axis=1) + own[:, 1] * response.downlink.max(axis=1)
        limit = own[:, 2] * (self.problem.max_power_w * self.units.budget / self.units.second)[self.classes.client]
        cancelled = EPSILON * count * (terms + float(np.abs(shared.subchannel).max()))
        cost: FloatArray = paid - limit - ROUNDING * (size + limit) - cancelled
        return cost

    def shared_cost(self, shared: Shared) -> float:
        """What all subchannels and the total power cost, from above."""
        power = shared.total_power * self.total_power
        size = float(np.abs(shared.subchannel).sum()) + power
        return float(shared.subchannel.sum()) + power + ROUNDING * size
