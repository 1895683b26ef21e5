"""The Lagrangian dual of one cut layer: a certified lower bound from any non-negative prices.

For a fixed cut layer the problem is to minimise T1 + T2 + shared subject to

    R_i >= a / (T1 - t1_i)            price uplink_i      (a: uplink nats of one client)
    R'_i >= d / (T2 - t7_i)           price downlink_i    (d: downlink bits of one client)
    sum_k p_ik <= P_i                 price power_i
    sum_ik p_ik <= P_th               price total_power
    sum_i r_ik <= 1, r_ik in {0, 1}

With prices on all but the last line it falls apart: T1 and T2 are one-dimensional, and each subchannel goes to the
client that values it most, at the power its water level gives. Weak duality makes the value a lower bound for every
non-negative price vector, wherever the prices come from and however inexact they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from epsl_opt.arrays import FloatArray
from epsl_opt.instance import Instance
from epsl_opt.latency import CutCosts

ROUNDING = 1e-10
"""Relative allowance for floating-point rounding: sums of n non-negative terms err by less than n * 1.2e-16."""

NEGLIGIBLE = 1e-40


@dataclass(frozen=True, eq=False)
class Prices:
    """Non-negative prices of one cut layer.

    `uplink` in s/(nat/s) and `downlink` in s/(bit/s), shape (clients,), are what a little more rate is worth;
    `power` in s/W, shape (clients,), what a watt more of P_i is worth; `total_power` in s/W, a watt more of P_th.
    """

    uplink: FloatArray
    downlink: FloatArray
    power: FloatArray
    total_power: float


@dataclass(frozen=True, eq=False)
class CutProblem:
    """The data of one cut layer as the dual sees it.

    `noise` = sigma^2 / G in W/Hz and `downlink_bps` have shape (clients, subchannels).
    """

    costs: CutCosts
    uplink_nats: float
    noise: FloatArray
    downlink_bps: FloatArray
    bandwidth_hz: FloatArray
    max_power_w: FloatArray
    total_power_w: float

    @classmethod
    def of(cls, instance: Instance, costs: CutCosts) -> CutProblem:
        """Collect the data of `instance` at the cut layer with these costs."""
        return cls(
            costs=costs,
            uplink_nats=costs.uplink_bits * math.log(2),
            noise=instance.uplink_noise_w_per_hz,
            downlink_bps=instance.downlink_rate_bps,
            bandwidth_hz=instance.bandwidth_hz,
            max_power_w=np.minimum(instance.max_power_w, instance.server.total_uplink_power_w),
            total_power_w=instance.server.total_uplink_power_w,
        )


def certified_bound_s(problem: CutProblem, prices: Prices) -> float:
    """Return a lower bound in seconds on the latency of every schedule at this cut layer.

    It is -inf where uplink rate has a price but the power for it has none. It stays a bound under rounding: phase ends
    are bounded below by convexity from where the root-finder stopped, and `ROUNDING` times the sum of all magnitudes
    that enter is taken off.

    Raises
    ------
    ValueError
        If a price is negative or not finite.
    """
    groups = (prices.uplink, prices.downlink, prices.power, np.array([prices.total_power]))
    if not all(np.isfinite(group).all() and (group >= 0).all() for group in groups):
        raise ValueError("prices must be finite and not negative")
    if not np.isfinite(budget := prices.power + prices.total_power).all():
        raise ValueError("prices must be finite and not negative")
    if ((prices.uplink > 0) & (budget == 0)).any():
        return -math.inf
    costs = problem.costs
    uplink_end = phase_end(costs.client_forward_s, problem.uplink_nats * prices.uplink)
    downlink_end = phase_end(costs.client_backward_s, costs.downlink_bits * prices.downlink)
    value = subchannel_values(problem, prices.uplink, prices.downlink, budget).max(axis=0).sum()
    spent = float(prices.power @ problem.max_power_w) + prices.total_power * problem.total_power_w
    bound = uplink_end.bound_s + downlink_end.bound_s + costs.shared_s - spent - float(value)
    magnitude = uplink_end.bound_s + downlink_end.bound_s + costs.shared_s + spent + float(value)
    return bound - ROUNDING * magnitude


def subchannel_values(problem: CutProblem, uplink: FloatArray, downlink: FloatArray, budget: FloatArray) -> FloatArray:
    """Return what each client would pay for each subchannel, in seconds, shape (clients, subchannels).

    max_p uplink_i B ln(1 + p / (B n)) - budget_i p + downlink_i D_ik, with the power from the water level
    uplink_i / budget_i; `budget` must be positive where `uplink` is.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.where(uplink > 0, uplink / budget, 0.0)[:, None]
        height = np.maximum(level - problem.noise, 0.0)
        gain = uplink[:, None] * np.log(np.maximum(level / problem.noise, 1.0))
        paid = np.where(height > 0, budget[:, None] * height, 0.0)
    return problem.bandwidth_hz * (gain - paid) + downlink[:, None] * problem.downlink_bps


@dataclass(frozen=True, eq=False)
class PhaseEnd:
    """min over T >= max ready of T + sum_i cost_i / (T - ready_i): the minimiser, and a lower bound on the minimum."""

    end_s: float
    bound_s: float


def phase_end(ready_s: FloatArray, cost: FloatArray) -> PhaseEnd:
    """Minimise the priced end of a phase.

    Parameters
    ----------
    ready_s
        When each client can start sending, shape (clients,).
    cost
        Price times traffic, in s^2, shape (clients,); zero where nothing is priced.
    """
    last_ready = float(ready_s.max())
    priced = cost > NEGLIGIBLE * max(float(cost.max()), NEGLIGIBLE)  # leaving a term out lowers the minimum
    if not priced.any():
        return PhaseEnd(last_ready, last_ready)
    ready, cost = ready_s[priced], cost[priced]
    low = max(float((ready + np.sqrt(cost)).max()), last_ready)
    high = max(float(ready.max()) + math.sqrt(float(cost.sum())), low)
    end = low
    for _ in range(60):
        slack = end - ready
        step = (float((cost / slack**2).sum()) - 1.0) / (2 * float((cost / slack**3).sum()))
        if not step > 1e-15 * end:
            break
        end = min(end + step, high)
    slack = end - ready
    slope = 1.0 - float((cost / slack**2).sum())
    error = slope * (end - low) if slope > 0 else -slope * (high - end)
    return PhaseEnd(end, end + float((cost / slack).sum()) - error)
