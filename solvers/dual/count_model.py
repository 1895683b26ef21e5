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

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray
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
    """What the classes do on each subchannel at their prices, arrays of shape (clients, classes, subchannels).

    `value` is what they would pay, without the count price; `rate` and `downlink` its slopes in the rate prices,
    `power` in W; `budget` has shape (clients, classes), in s/W.
    """

    value: FloatArray
    rate: FloatArray
    downlink: FloatArray
    power: FloatArray
    budget: FloatArray


@dataclass(frozen=True, eq=False)
class CountModel:
    """A cut layer, its classes of counts and the units of prices."""

    problem: CutProblem
    classes: CountClasses
    units: Units

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of clients, classes and subchannels."""
        C, M = self.problem.noise.shape
        return C, self.classes.least.shape[1], M

    @cached_property
    def single(self) -> BoolArray:
        """Which classes are one count, shape (clients, classes)."""
        return self.classes.least == self.classes.most

    @cached_property
    def moving(self) -> BoolArray:
        """Which own prices there are, shape (clients, classes, 5)."""
        C, W, _ = self.shape
        moving = np.ones((C, W, OWN), dtype=bool)
        moving[..., 0] = moving[..., 2] = self.problem.sends
        moving[..., 1] = self.problem.downlink_bits > 0
        moving[..., 4] = ~self.single
        return moving

    @cached_property
    def positive(self) -> BoolArray:
        """Which own prices may not be negative: all but the count price of a single count."""
        positive = self.moving.copy()
        positive[..., 3] = ~self.single
        return positive

    @cached_property
    def total_power(self) -> float:
        """P_th in units: what one unit of its price costs."""
        return self.problem.total_power_w * self.units.total / self.units.second

    def limits(self, rate: FloatArray, downlink: FloatArray) -> FloatArray:
        """What one unit of each own price gains or costs a class outside the subchannels, shape (clients, classes, 5).

        Parameters
        ----------
        rate, downlink
            The rates needed, in nat/s and bit/s, shape (clients,).
        """
        units, second = self.units, self.units.second
        gained = (
            (rate * units.rate / second)[:, None],
            (downlink * units.downlink / second)[:, None],
            (-self.problem.max_power_w * units.budget / second)[:, None],
            self.classes.least,
            -self.classes.most,
        )
        stacked = np.stack([np.broadcast_to(part, self.single.shape) for part in gained], axis=-1)
        return np.where(self.moving, stacked, 0.0)

    def respond(self, own: FloatArray, total_power: float) -> Response:
        """Evaluate the classes at their own prices, shape (clients, classes, 5), and that of the total power."""
        problem, units = self.problem, self.units
        budget = own[..., 2] * units.budget[:, None] + total_power * units.total
        level = np.divide(own[..., 0] * units.rate[:, None], budget, out=np.zeros_like(budget), where=budget > 0)
        noise = problem.noise[:, None, :]
        height = np.maximum(level[..., None] - noise, 0.0)
        rate = np.log1p(height / noise)
        rate *= (units.rate / units.second)[:, None, None] * problem.bandwidth_hz
        power = height
        power *= problem.bandwidth_hz
        downlink = ((units.downlink / units.second)[:, None] * problem.downlink_bps)[:, None, :]
        value = own[..., 0, None] * rate
        value -= (budget / units.second)[..., None] * power
        value += own[..., 1, None] * downlink
        return Response(value, rate, downlink, power, budget)

    def held_cost(self, own: FloatArray, shared: Shared) -> FloatArray:
        """Bound below what the classes pay for what they hold, less their power limit, shape (clients, classes).

        The sum of the least (mu_k - value_k), as many as the class allows, less e P_i; `ROUNDING` of all magnitudes is
        taken off.
        """
        response = self.respond(own, shared.total_power)
        net = shared.subchannel - response.value
        net.sort(axis=2)
        count = np.clip((net < 0).sum(axis=2), self.classes.least, self.classes.most)[..., None] - 1
        paid = np.take_along_axis(np.cumsum(net, axis=2), count, axis=2)[..., 0]
        size = np.take_along_axis(np.cumsum(np.abs(net), axis=2), count, axis=2)[..., 0]
        terms = own[..., 0] * response.rate.max(axis=2) + own[..., 1] * response.downlink.max(axis=2)
        limit = own[..., 2] * (self.problem.max_power_w * self.units.budget / self.units.second)[:, None]
        cancelled = EPSILON * (count[..., 0] + 1) * (terms + float(np.abs(shared.subchannel).max()))
        cost: FloatArray = paid - limit - ROUNDING * (size + limit) - cancelled
        return cost

    def shared_cost(self, shared: Shared) -> float:
        """What all subchannels and the total power cost, from above."""
        paid = float(shared.subchannel.sum()) + shared.total_power * self.total_power
        size = float(np.abs(shared.subchannel).sum()) + shared.total_power * self.total_power
        return paid + ROUNDING * size
