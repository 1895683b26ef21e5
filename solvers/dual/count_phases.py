"""The phases of a cut layer that carry traffic, in waits: how long each lasts after the last client is ready for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.solvers.dual.count_model import CountModel, Units
from epsl_opt.solvers.dual.lagrangian import CutProblem, Prices, exchange_end, phase_ends

UPLINK, DOWNLINK, EXCHANGE = "uplink", "downlink", "exchange"
TIED = 1e-2
"""Rates needed for two phases that differ by less than this part are priced as in the relaxation."""


@dataclass(frozen=True, eq=False)
class Needs:
    """Rates that end the phases in time, shape (clients,), in nat/s and bit/s.

    `rate` is a mean of what the uplink phase and the exchange need, with weight `in_uplink` for the first: never more
    than the larger.
    """

    rate: FloatArray
    downlink: FloatArray
    in_uplink: FloatArray


@dataclass(frozen=True, eq=False)
class Phases:
    """The phases of a cut layer with traffic; `prices` are those of its solved Lagrangian relaxation."""

    problem: CutProblem
    prices: Prices

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Which they are."""
        return tuple(kind for kind in (UPLINK, DOWNLINK, EXCHANGE) if self._traffic[kind] > 0)

    @property
    def _traffic(self) -> dict[str, float]:
        problem = self.problem
        return {UPLINK: problem.uplink_nats, DOWNLINK: problem.downlink_bits, EXCHANGE: problem.exchange_nats}

    @cached_property
    def head_start_s(self) -> FloatArray:
        """How much earlier than the last each client is ready, shape (phases, clients)."""
        costs = self.problem.costs
        ready = {UPLINK: costs.client_forward_s, DOWNLINK: costs.client_backward_s}
        nothing = np.zeros_like(costs.client_forward_s)
        return np.array([ready.get(kind, nothing).max() - ready.get(kind, nothing) for kind in self.kinds])

    @cached_property
    def fixed_s(self) -> float:
        """All of the round that is not waiting."""
        costs = self.problem.costs
        return costs.shared_s + float(costs.client_forward_s.max()) + float(costs.client_backward_s.max())

    @cached_property
    def waits_s(self) -> FloatArray:
        """Where the relaxation ends the phases, shape (phases,)."""
        problem, prices = self.problem, self.prices
        ends = {
            UPLINK: phase_ends(problem.costs.client_forward_s, problem.uplink_nats * prices.uplink),
            DOWNLINK: phase_ends(problem.costs.client_backward_s, problem.downlink_bits * prices.downlink),
            EXCHANGE: exchange_end(problem, prices),
        }
        return np.array([ends[kind].slack_s[0].min() for kind in self.kinds])

    @cached_property
    def in_uplink(self) -> FloatArray:
        """The part of each client's rate price in the relaxation that is for the uplink phase, shape (clients,)."""
        uplink, rate = self.prices.uplink[0], self.prices.rate[0]
        part: FloatArray = np.divide(uplink, rate, out=np.ones_like(rate), where=rate > 0)
        return part

    def needs(self, waits_s: FloatArray) -> Needs:
        """The rates that end the phases after these waits, shape (phases,)."""
        slack = dict(zip(self.kinds, waits_s[:, None] + self.head_start_s, strict=True))
        need = {kind: self._traffic[kind] / slack[kind] for kind in self.kinds}
        nothing = np.zeros_like(self.problem.max_power_w)
        first, last = need.get(UPLINK, nothing), need.get(EXCHANGE, nothing)
        tied = np.abs(first - last) < TIED * np.maximum(first, last)
        in_uplink = np.where(tied, self.in_uplink, first > last)
        rate = in_uplink * first + (1 - in_uplink) * last
        return Needs(rate, need.get(DOWNLINK, nothing), in_uplink)

    def priced_traffic(self, model: CountModel, own: FloatArray, in_uplink: FloatArray) -> FloatArray:
        """Price times traffic of every phase, in units of `model`, shape (phases, classes)."""
        client, units = model.classes.client, model.units
        rate = own[:, 0] * (units.rate / units.second)[client]
        priced = {
            UPLINK: rate * in_uplink[client],
            DOWNLINK: own[:, 1] * (units.downlink / units.second)[client],
            EXCHANGE: rate * (1 - in_uplink)[client],
        }
        return np.array([self._traffic[kind] * priced[kind] for kind in self.kinds])

    def own_prices(self, units: Units, client: np.ndarray) -> FloatArray:
        """The relaxation's own prices, for classes of these clients, shape (classes, 5)."""
        prices = self.prices
        rows = (prices.rate[0] / units.rate, prices.downlink[0] / units.downlink, prices.power[0] / units.budget)
        nothing = np.zeros(len(client))
        return np.column_stack([*(row[client] for row in rows), nothing, nothing])
