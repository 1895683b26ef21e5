"""The Lagrangian dual of one cut layer: certified lower bounds from any non-negative prices.

For a fixed cut layer the problem is to minimise T1 + T2 + T3 + shared subject to

    R_i >= a / (T1 - t1_i)               price uplink_i      (a: uplink nats of one client)
    R'_i >= d / (T2 - t7_i)              price downlink_i    (d: downlink bits of one client)
    R_i >= e / T3                        price exchange_i    (e: nats of one client's model, none if not exchanged)
    sum_k p_ik <= P_i                    price power_i
    sum_ik p_ik <= P_th                  price total_power
    least_i <= sum_k r_ik <= most_i      price count_i, of either sign
    sum_i r_ik = 1, r_ik in {0, 1}, r_ik = 0 where forbidden

(A free subchannel may as well be given to anybody without power, hence the equality.) With prices on all but the last
line it falls apart: T1, T2 and T3 are one-dimensional, and each subchannel goes to the client that values it most, at
the power its water level gives. Weak duality makes the value a lower bound for all such prices, wherever they come from
and however inexact they are. Everything here handles N regions (of the solution space) at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.solvers.dual.certainty import certain
from epsl_opt.solvers.primal.cuts import bound_without_radio_s

ROUNDING = 1e-10
"""Relative allowance for floating-point rounding: sums of n non-negative terms err by less than n * 1.2e-16."""

EPSILON = 1e-14
"""Relative rounding of a product of two numbers, with room to spare."""

AMPLE = 1e3
"""A total power limit of more than this times what all clients together may use is no limit, and costs digits."""

NEGLIGIBLE = 1e-13
"""Traffic that lengthens the round by less than this part of it, even at the slowest rates, is left out of bounds."""


@dataclass(frozen=True, eq=False)
class Prices:
    """Prices of N regions: all non-negative but `count`.

    `uplink` and `exchange` in s/(nat/s), `downlink` in s/(bit/s), `power` in s/W and `count` in s per subchannel have
    shape (regions, clients); `total_power` in s/W has shape (regions,).
    """

    uplink: FloatArray
    downlink: FloatArray
    power: FloatArray
    total_power: FloatArray
    exchange: FloatArray
    count: FloatArray

    @property
    def rate(self) -> FloatArray:
        """What a nat/s of uplink rate is worth, whichever phase it is for, shape (regions, clients)."""
        return self.uplink + self.exchange

    def take(self, index: IntArray) -> Prices:
        """The prices of some of the regions."""
        return Prices(*(part[index] for part in self.parts))

    @property
    def parts(self) -> tuple[FloatArray, ...]:
        """All of them, in the order of the fields."""
        return (self.uplink, self.downlink, self.power, self.total_power, self.exchange, self.count)

    def in_range(self) -> Prices:
        """These prices, or none at all if one of them is beyond the range of numbers."""
        if all(np.isfinite(part).all() for part in self.parts):
            return self
        return Prices(*(np.zeros_like(part) for part in self.parts))


@dataclass(frozen=True, eq=False)
class Regions:
    """N parts of the solution space of a cut layer.

    Clients hold at least `least` and at most `most` subchannels, shape (regions, clients), and only those that are
    `allowed`, shape (regions, clients, subchannels); None allows all.
    """

    least: IntArray
    most: IntArray
    allowed: BoolArray | None = None

    def take(self, index: IntArray) -> Regions:
        """Some of the regions."""
        allowed = None if self.allowed is None else self.allowed[index]
        return Regions(self.least[index], self.most[index], allowed)


@dataclass(frozen=True, eq=False)
class CutProblem:
    """The data of one cut layer as the dual sees it.

    `noise` = sigma^2 / G in W/Hz and `downlink_bps` have shape (clients, subchannels). `uplink_nats`, `downlink_bits`
    and `exchange_nats` are each client's traffic, zero where it is negligible: a constraint less leaves a bound a
    bound, and without it no price has to be found for next to nothing.
    """

    costs: CutCosts
    uplink_nats: float
    downlink_bits: float
    exchange_nats: float
    noise: FloatArray
    downlink_bps: FloatArray
    bandwidth_hz: FloatArray
    max_power_w: FloatArray
    total_power_w: float

    @classmethod
    def of(cls, instance: Instance, costs: CutCosts) -> CutProblem:
        """Collect the data of `instance` at the cut layer with these costs."""
        noticed_s = NEGLIGIBLE * bound_without_radio_s(costs)
        uplink = costs.uplink_bits > noticed_s * instance.slowest_uplink_bps
        downlink = costs.downlink_bits > noticed_s * instance.slowest_downlink_bps
        exchange = costs.exchange_bits > noticed_s * instance.slowest_uplink_bps
        return cls(
            costs=costs,
            uplink_nats=costs.uplink_bits * math.log(2) if uplink else 0.0,
            downlink_bits=costs.downlink_bits if downlink else 0.0,
            exchange_nats=costs.exchange_bits * math.log(2) if exchange else 0.0,
            noise=instance.uplink_noise_w_per_hz,
            downlink_bps=instance.downlink_rate_bps,
            bandwidth_hz=instance.bandwidth_hz,
            max_power_w=np.minimum(instance.max_power_w, instance.server.total_uplink_power_w),
            total_power_w=min(instance.server.total_uplink_power_w, AMPLE * float(instance.max_power_w.sum())),
        )

    @property
    def sends(self) -> bool:
        """Whether uplink rate has prices."""
        return self.uplink_nats > 0 or self.exchange_nats > 0

    def everything(self) -> Regions:
        """The whole solution space as one region: a client that must send or receive holds at least one subchannel."""
        C, M = self.noise.shape
        least = int(not self.costs.idle)
        return Regions(np.full((1, C), least), np.full((1, C), M - (C - 1) * least))


def certified_bounds_s(problem: CutProblem, regions: Regions, prices: Prices) -> FloatArray:
    """Return a lower bound in seconds on the latency of every schedule in each region, shape (regions,).

    It is -inf where uplink rate has a price but the power for it has none, and where a term is beyond the range of
    numbers. It stays a bound under rounding: phase ends are bounded below by convexity from where the root-finder
    stopped, and `ROUNDING` times the sum of all magnitudes that enter is taken off.

    Raises
    ------
    ValueError
        If a price is not finite, or negative (other than `count`).
    """
    _refuse_impossible(prices)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows ends as a bound of -inf
        bound = _computed_bounds_s(problem, regions, prices)
        unpaid = ((prices.rate > 0) & (prices.power + prices.total_power[:, None] == 0)).any(axis=1)
    return np.where(unpaid, -np.inf, certain(bound))


def _computed_bounds_s(problem: CutProblem, regions: Regions, prices: Prices) -> FloatArray:
    costs = problem.costs
    uplink_end = phase_ends(costs.client_forward_s, problem.uplink_nats * prices.uplink)
    downlink_end = phase_ends(costs.client_backward_s, problem.downlink_bits * prices.downlink)
    response = responses(problem, prices)
    paid = subchannel_values(problem, regions, prices, response).max(axis=1)
    spent = prices.power @ problem.max_power_w + prices.total_power * problem.total_power_w
    counted = np.where(prices.count > 0, regions.most, regions.least) * prices.count
    gained = uplink_end.bound_s + downlink_end.bound_s + costs.shared_s
    if problem.exchange_nats > 0:
        gained = gained + exchange_end(problem, prices).bound_s
    bound = gained - spent - counted.sum(axis=1) - paid.sum(axis=1)
    magnitude = gained + spent + np.abs(counted).sum(axis=1) + np.abs(paid).sum(axis=1)
    cancelled = _cancelled_s(problem, prices, response[0])
    found: FloatArray = bound - ROUNDING * magnitude - EPSILON * cancelled
    return found


def _cancelled_s(problem: CutProblem, prices: Prices, rate: FloatArray) -> FloatArray:
    """The sum of the terms whose small differences are the subchannels' values, shape (regions,)."""
    terms = prices.rate[..., None] * rate + prices.downlink[..., None] * problem.downlink_bps
    largest: FloatArray = (terms + np.abs(prices.count)[..., None]).max(axis=1).sum(axis=1)
    return largest


def _refuse_impossible(prices: Prices) -> None:
    finite = all(np.isfinite(part).all() for part in prices.parts)
    if not finite or any((part < 0).any() for part in prices.parts[:-1]):
        raise ValueError("prices must be finite and not negative")


def subchannel_values(
    problem: CutProblem, regions: Regions, prices: Prices, response: tuple[FloatArray, FloatArray] | None = None
) -> FloatArray:
    """Return what each client would pay for each subchannel, in seconds, shape (regions, clients, subchannels).

    max_p rate_i B ln(1 + p / (B n)) - budget_i p + downlink_i D_ik - count_i, with the power from the water level
    rate_i / budget_i; -inf where forbidden. `response` is `responses(problem, prices)` where it is known already.
    """
    rate, power = responses(problem, prices) if response is None else response
    budget = prices.power + prices.total_power[:, None]
    value = prices.rate[..., None] * rate - budget[..., None] * power
    value += prices.downlink[..., None] * problem.downlink_bps - prices.count[..., None]
    return value if regions.allowed is None else np.where(regions.allowed, value, -np.inf)


def responses(problem: CutProblem, prices: Prices) -> tuple[FloatArray, FloatArray]:
    """Return the rate (nat/s) and power (W) a client uses on a subchannel, shapes (regions, clients, subchannels)."""
    budget = prices.power + prices.total_power[:, None]
    level = np.divide(prices.rate, budget, out=np.zeros_like(budget), where=budget > 0)[..., None]
    height = np.maximum(level - problem.noise, 0.0)
    rate = problem.bandwidth_hz * np.log1p(height / problem.noise)  # of that very power, or weak signals lose digits
    return rate, problem.bandwidth_hz * height


@dataclass(frozen=True, eq=False)
class PhaseEnds:
    """min over T >= max ready of T + sum_i cost_i / (T - ready_i): minimisers and lower bounds on the minima.

    `slack_s` = T - ready_i has shape (regions, clients), with digits that T itself may lack; `end_s` = T and `bound_s`
    have shape (regions,).
    """

    slack_s: FloatArray
    end_s: FloatArray
    bound_s: FloatArray


def phase_ends(ready_s: FloatArray, cost: FloatArray) -> PhaseEnds:
    """Minimise the priced end of a phase, for N sets of prices.

    The unknown is the time from when the last client is ready, which may be many orders of magnitude below T.

    Parameters
    ----------
    ready_s
        When each client can start sending, shape (clients,).
    cost
        Price times traffic, in s^2, shape (regions, clients); zero where nothing is priced.
    """
    last_ready = float(ready_s.max())
    head_start = last_ready - ready_s
    root = np.sqrt(cost)
    low = np.maximum((root - head_start).max(axis=1), 0.0)
    high = np.maximum(np.sqrt(cost.sum(axis=1)), low)
    wait = low
    for _ in range(60):
        share = _shares(root, wait[:, None] + head_start)
        slope = share[0] - 1.0
        step = np.divide(slope, 2 * share[1], out=np.zeros_like(wait), where=share[1] > 0)
        if not (step > 1e-15 * wait).any():
            break
        wait = np.minimum(wait + np.maximum(step, 0.0), high)
    slack = wait[:, None] + head_start
    slope = 1.0 - _shares(root, slack)[0]
    error = np.where(slope > 0, slope * (wait - low), -slope * (high - wait))
    priced = np.divide(cost, slack, out=np.zeros_like(cost), where=cost > 0).sum(axis=1)
    return PhaseEnds(slack, last_ready + wait, last_ready + (wait + priced - error))


def exchange_end(problem: CutProblem, prices: Prices) -> PhaseEnds:
    """Minimise the priced end of the exchange of models, for which all clients are ready at its start."""
    return phase_ends(np.zeros_like(problem.max_power_w), problem.exchange_nats * prices.exchange)


def _shares(root_cost: FloatArray, slack: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return sum cost / slack^2 and sum cost / slack^3, shapes (regions,)."""
    ratio = np.divide(root_cost, slack, out=np.zeros_like(root_cost), where=root_cost > 0)
    square = ratio * ratio
    cube = np.divide(square, slack, out=np.zeros_like(square), where=square > 0)
    return square.sum(axis=1), cube.sum(axis=1)
