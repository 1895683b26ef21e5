"""The Lagrangian dual of N regions as a smooth convex program: variables, derivatives and curvature.

Minimised is the dual with its sign turned, over the prices z and the subchannels' values sigma_k, subject to
sigma_k >= what client i would pay for subchannel k; the multipliers of that are the fractional allocation r_ik. One
vector a region holds its prices, in the order

    uplink (C), downlink (C), power (C), count above `most` (C), count below `least` (C), exchange (C), total power (1),

all non-negative, but that where `least` equals `most` one free price stands in the first count's place. Where no models
are exchanged the vectors have no part for that: W, their width, is 5 C + 1, and 6 C + 1 where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray
from epsl_opt.solvers.dual.lagrangian import (
    CutProblem,
    PhaseEnds,
    Prices,
    Regions,
    exchange_end,
    phase_ends,
    responses,
    subchannel_values,
)

FLOOR = 1e-4
"""Prices start at no less than this part of the largest of their kind: nearer to zero they would be stuck there."""


@dataclass(frozen=True, eq=False)
class DualModel:
    """N regions of a cut layer; arrays of prices have shape (regions, W)."""

    problem: CutProblem
    regions: Regions

    def split(self, z: FloatArray) -> Prices:
        """Name the parts of the vectors z."""
        C = self.n_clients
        count = z[:, 3 * C : 4 * C] - z[:, 4 * C : 5 * C]
        exchange = z[:, 5 * C : 6 * C] if self.exchanges else np.zeros_like(count)
        return Prices(z[:, :C], z[:, C : 2 * C], z[:, 2 * C : 3 * C], z[:, -1], exchange, count)

    def join(self, prices: Prices, count_floor_s: FloatArray) -> FloatArray:
        """Put prices into vectors strictly inside their domain: zeros are raised far below their peers."""
        C = self.n_clients
        above = np.maximum(prices.count, 0.0) + count_floor_s[:, None]
        below = np.maximum(-prices.count, 0.0) + count_floor_s[:, None]
        fixed = self.regions.least == self.regions.most
        above, below = np.where(fixed, prices.count, above), np.where(fixed, 0.0, below)
        last = [prices.exchange, prices.total_power[:, None]] if self.exchanges else [prices.total_power[:, None]]
        z = np.concatenate([prices.uplink, prices.downlink, prices.power, above, below, *last], axis=1)
        powers = np.append(np.arange(2 * C, 3 * C), z.shape[1] - 1)
        for group in (np.arange(C), np.arange(C, 2 * C), powers, np.arange(5 * C, z.shape[1] - 1)):
            if group.size == 0:
                continue
            z[:, group] = np.maximum(z[:, group], FLOOR * z[:, group].max(axis=1, keepdims=True))
        return np.where(self.moving, z, 0.0)

    @property
    def n_clients(self) -> int:
        """C."""
        return len(self.problem.max_power_w)

    @property
    def exchanges(self) -> bool:
        """Whether there are prices for an exchange of models."""
        return self.problem.exchange_nats > 0

    @cached_property
    def moving(self) -> BoolArray:
        """Which prices there are: none for traffic that is not there, one count price where the count is fixed."""
        C = self.n_clients
        moving = np.ones((len(self.regions.least), (6 if self.exchanges else 5) * C + 1), dtype=bool)
        moving[:, :C] = self.problem.uplink_nats > 0
        moving[:, 2 * C : 3 * C] = moving[:, -1:] = self.problem.sends
        moving[:, C : 2 * C] = self.problem.downlink_bits > 0
        moving[:, 4 * C : 5 * C] = self.regions.least < self.regions.most
        return moving

    @cached_property
    def positive(self) -> BoolArray:
        """Which prices must stay positive."""
        C = self.n_clients
        positive = self.moving.copy()
        positive[:, 3 * C : 4 * C] = self.regions.least < self.regions.most
        return positive

    def evaluate(self, z: FloatArray) -> DualPoint:
        """Evaluate all that depends on the prices."""
        prices, problem, costs = self.split(z), self.problem, self.problem.costs
        rate, power = responses(problem, prices)
        return DualPoint(
            model=self,
            prices=prices,
            rate=rate,
            power=power,
            value=subchannel_values(problem, self.regions, prices, (rate, power)),
            uplink_end=phase_ends(costs.client_forward_s, problem.uplink_nats * prices.uplink),
            downlink_end=phase_ends(costs.client_backward_s, problem.downlink_bits * prices.downlink),
            exchange_end=exchange_end(problem, prices) if self.exchanges else None,
        )


@dataclass(frozen=True, eq=False)
class DualPoint:
    """The model at some prices: responses and values have shape (regions, clients, subchannels)."""

    model: DualModel
    prices: Prices
    rate: FloatArray
    power: FloatArray
    value: FloatArray
    uplink_end: PhaseEnds
    downlink_end: PhaseEnds
    exchange_end: PhaseEnds | None

    def objective_gradient(self) -> FloatArray:
        """Gradient of the part outside the subchannels: rates needed (negative), limits, counts."""
        problem, regions = self.model.problem, self.model.regions
        shape = self.prices.uplink.shape
        parts = [
            -_needed(problem.uplink_nats, self.uplink_end),
            -_needed(problem.downlink_bits, self.downlink_end),
            np.broadcast_to(problem.max_power_w, shape),
            regions.most,
            -regions.least,
        ]
        if self.exchange_end is not None:
            parts.append(-_needed(problem.exchange_nats, self.exchange_end))
        return np.concatenate([*parts, np.full((shape[0], 1), problem.total_power_w)], axis=1)

    def pull_back(self, weight: FloatArray) -> FloatArray:
        """Gradient of sum weight_ik value_ik: rates given, power used (negative), subchannels held."""
        used = -(weight * self.power).sum(axis=2)
        held = weight.sum(axis=2)
        rate = (weight * self.rate).sum(axis=2)
        downlink = (weight * self.model.problem.downlink_bps).sum(axis=2)
        parts = [rate, downlink, used, -held, held]
        if self.exchange_end is not None:
            parts.append(rate)
        return np.concatenate([*parts, used.sum(axis=1, keepdims=True)], axis=1)

    def push_forward(self, step: FloatArray) -> FloatArray:
        """First-order change of every value under a step of the prices, shape (regions, clients, subchannels)."""
        C = self.model.n_clients
        count = step[:, 3 * C : 4 * C] - step[:, 4 * C : 5 * C]
        power = step[:, 2 * C : 3 * C] + step[:, -1:]
        price = step[:, :C] if self.exchange_end is None else step[:, :C] + step[:, 5 * C : 6 * C]
        change = self.rate * price[:, :, None] - self.power * power[:, :, None] - count[:, :, None]
        change += self.model.problem.downlink_bps * step[:, C : 2 * C, None]
        return change

    def curvature(self, weight: FloatArray, stiffness: FloatArray) -> FloatArray:
        """Hessian of the program with sigma eliminated, shape (regions, W, W).

        `weight` is r; `stiffness` = r / slack weighs the constraints.
        """
        core = self._constraint_curvature(stiffness)
        self._add_response_curvature(core, weight)
        matrix = _expand(core, self.model.n_clients, exchanges=self.exchange_end is not None)
        self._add_phase_curvature(matrix)
        return matrix

    def _constraint_curvature(self, stiffness: FloatArray) -> FloatArray:
        """sum_k [ J' diag(d) J - (J' d)(J' d)' / sum d ] over uplink, downlink, power and count of each client."""
        C, client = self.model.n_clients, np.arange(self.model.n_clients)
        response = (self.rate, self.model.problem.downlink_bps, -self.power, -1.0)
        pulled = np.concatenate([stiffness * part for part in response], axis=1)
        halved = pulled / np.sqrt(stiffness.sum(axis=1, keepdims=True))
        core = -np.array([half @ half.T for half in halved])
        for row in range(4):
            for column in range(row, 4):
                own = (pulled[:, row * C : (row + 1) * C] * response[column]).sum(axis=2)
                core[:, row * C + client, column * C + client] += own
                if row != column:
                    core[:, column * C + client, row * C + client] += own
        return core

    def _add_response_curvature(self, core: FloatArray, weight: FloatArray) -> None:
        """B (1/l, -1/b; -1/b, l/b^2) summed over used subchannels, for rate price l and power budget b."""
        problem, prices, C = self.model.problem, self.prices, self.model.n_clients
        if not problem.sends:
            return
        uplink, power = np.arange(C), np.arange(2 * C, 3 * C)
        budget = prices.power + prices.total_power[:, None]
        used = (weight * (self.power > 0)) @ problem.bandwidth_hz
        core[:, uplink, uplink] += used / prices.rate
        core[:, uplink, power] -= used / budget
        core[:, power, uplink] -= used / budget
        core[:, power, power] += used * prices.rate / budget**2

    def _add_phase_curvature(self, matrix: FloatArray) -> None:
        problem, C = self.model.problem, self.model.n_clients
        for first, traffic, price, end in (
            (0, problem.uplink_nats, self.prices.uplink, self.uplink_end),
            (C, problem.downlink_bits, self.prices.downlink, self.downlink_end),
            (5 * C, problem.exchange_nats, self.prices.exchange, self.exchange_end),
        ):
            if traffic == 0 or end is None:
                continue
            slope = traffic / end.slack_s**2
            stiffness = 2 * (price * traffic / end.slack_s**3).sum(axis=1)
            span = slice(first, first + C)
            matrix[:, span, span] += slope[:, :, None] * slope[:, None, :] / stiffness[:, None, None]


def _needed(traffic: float, end: PhaseEnds) -> FloatArray:
    """The rate every client needs to end its traffic with the phase, shape (regions, clients)."""
    return traffic / end.slack_s if traffic > 0 else np.zeros_like(end.slack_s)


def _expand(core: FloatArray, n_clients: int, *, exchanges: bool) -> FloatArray:
    """Add the prices that act like those of the core.

    The second count price acts like minus the first, that of exchange like that of uplink, that of total power like the
    sum of all power prices.
    """
    C = n_clients
    rows = [core, -core[:, 3 * C :], core[:, :C], core[:, 2 * C : 3 * C].sum(axis=1, keepdims=True)]
    tall = np.concatenate(rows if exchanges else rows[:2] + rows[3:], axis=1)
    total = tall[:, :, 2 * C : 3 * C].sum(axis=2, keepdims=True)
    columns = [tall, -tall[:, :, 3 * C :], tall[:, :, :C], total]
    return np.concatenate(columns if exchanges else columns[:2] + columns[3:], axis=2)
