"""Phases that are to end a little sooner, and how far an allocation is from that: a potential that adds up by client.

Latency is flat for all clients but the straggler of a phase, so that it can't say which changes prepare a better
schedule. With the ends of the phases given, what every client needs is known: a rate for its traffic, hence a least
power, and a downlink rate. The potential is a sum over clients of exponentials of what each lacks, and of its power at
a price for the limit on all powers together. A change of a few clients changes their terms alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.rows import Rows
from epsl_opt.solvers.primal.power_control import head_start_s, rows_of, sending_times_s

STEEPEST = 30.0
"""Beyond this exponent the exponential goes on as its tangent, so that what is hopeless can still be told apart."""

LEAST_LEFT = 0.5
"""No phase is to be shorter than this share of what it is."""

MOST_OVER = 3.0
"""In the sum of all powers no client counts for more than so many times its own limit."""


@dataclass(frozen=True, eq=False)
class PhaseSlacks:
    """From when the last client is ready to the ends of uplink, exchange and downlink, in seconds; 0: nothing to do."""

    uplink_s: float
    exchange_s: float
    downlink_s: float

    @classmethod
    def of(cls, problem: SearchProblem, owner: IntArray, cut: int) -> PhaseSlacks:
        """Return those of allocation `owner`, shape (subchannels,), with its best powers."""
        costs = problem.costs[cut]
        slack_s, exchange_s = sending_times_s(rows_of(problem.instance, owner[None, :]), problem.instance, costs)
        rate = np.bincount(owner, problem.downlink_bps[owner, np.arange(len(owner))], problem.n_clients)
        bits, downlink_s = costs.downlink_bits, 0.0
        if bits > 0:
            downlink_s = float((problem.backward_s[cut] + bits / rate).max() - problem.backward_s[cut].max())
        return cls(
            float(slack_s[0]) if costs.uplink_bits > 0 else 0.0,
            float(exchange_s[0]) if costs.exchange_bits > 0 else 0.0,
            downlink_s,
        )

    def shorter(self, gain_s: float, shares: FloatArray) -> PhaseSlacks:
        """Return slacks whose sum is less by `gain_s`, taken from the phases in `shares`, shape (3,), that sum to 1."""
        slack = np.array([self.uplink_s, self.exchange_s, self.downlink_s])
        share = np.where(slack > 0, shares, 0.0)
        if not share.sum() > 0:
            share = np.where(slack > 0, 1.0, 0.0)
        left = slack - gain_s * share / max(share.sum(), 1.0e-9)
        return PhaseSlacks(*np.maximum(left, LEAST_LEFT * slack).tolist())


@dataclass(frozen=True, eq=False)
class Goal:
    """What each client needs for phases to end in time, arrays of shape (clients,); the potential's terms.

    `rate` in nat/s, `downlink_bps`, `limit_w`; `sharpness` multiplies relative shortfalls, `price` a client's watts.
    """

    rate: FloatArray
    downlink_bps: FloatArray
    limit_w: FloatArray
    sharpness: float
    price: float

    @classmethod
    def of(cls, problem: SearchProblem, owner: IntArray, cut: int, slacks: PhaseSlacks, sharpness: float) -> Goal:
        """Work out the needs for `slacks`, and the price of power near allocation `owner`, shape (subchannels,)."""
        costs, backward_s = problem.costs[cut], problem.backward_s[cut]
        nats, bits = float(problem.nats[cut]), float(problem.downlink_bits[cut])
        rate, downlink = np.zeros(problem.n_clients), np.zeros(problem.n_clients)
        if nats > 0:
            rate = nats / (slacks.uplink_s + head_start_s(costs))
        if slacks.exchange_s > 0:
            rate = np.maximum(rate, (float(problem.sent_nats[cut]) - nats) / slacks.exchange_s)
        if bits > 0:
            downlink = bits / (slacks.downlink_s + backward_s.max() - backward_s)
        total = np.minimum(_powers(Rows(problem, owner[None, :]), rate), MOST_OVER * problem.limit_w).sum()
        excess = np.array(sharpness * (total / problem.total_w - 1))
        price = sharpness / problem.total_w * float(_softened(excess))
        return cls(rate, downlink, problem.limit_w, sharpness, price)

    def terms(self, client: IntArray, power_w: FloatArray, downlink_bps: FloatArray) -> FloatArray:
        """Return the potential's terms of clients that need so much power and have such downlink rates.

        Power is worth half: rates of a few nats per hertz double it where they grow by a tenth.
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            lacking = self.downlink_bps[client] / downlink_bps - 1
            over = power_w / self.limit_w[client] - 1
            term = _softened(0.5 * self.sharpness * over) + self.price * power_w
            term = term + np.where(self.downlink_bps[client] > 0, _softened(self.sharpness * lacking), 0.0)
        return np.where(np.isnan(term), np.inf, term)

    def terms_of(self, problem: SearchProblem, owner: IntArray) -> FloatArray:
        """Return the terms of all clients under allocation `owner`, shape (subchannels,)."""
        rows = Rows(problem, owner[None, :])
        return self.terms(np.arange(problem.n_clients), _powers(rows, self.rate), rows.downlink_bps[0])


def _powers(rows: Rows, rate: FloatArray) -> FloatArray:
    """Least power in watts of each client of one allocation, shape (clients,); inf where it holds nothing."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        power = rows.for_rate(rate[None, :])[2][0]
    return np.where(rate > 0, np.where(power > 0, power, np.inf), 0.0)


def _softened(x: FloatArray) -> FloatArray:
    low = np.exp(np.minimum(x, STEEPEST))
    return np.where(x < STEEPEST, low, low * (1 + np.maximum(x - STEEPEST, 0.0)))
