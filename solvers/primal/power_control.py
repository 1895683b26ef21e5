"""Power control, exactly: for a given allocation and cut layer, the powers that end the uplink phase first.

The phase can end at T1 if and only if every client's least power for its rate, bits / (T1 - t1_i), fits P_i, and their
sum fits P_th. The first condition gives the earliest T1 in closed form; the second is a decreasing function of T1 whose
root a safeguarded Newton iteration finds (model of section IV of the paper; its own algorithm solves a convex program).
The unknown is T1 - max_i t1_i, the slack: beside long computing, T1 itself would not have the digits that powers need.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts, round_latency
from epsl_opt.core.schedule import FREE, Schedule
from epsl_opt.core.water_filling import WaterFilling

NEWTON_STEPS = 100
ROOT_TOLERANCE = 4e-15
LARGEST_LOG = 700.0
FAINTEST = 1e-100
"""No client sends at less of its best rate: the power could be too small for a number, and nothing would arrive."""

SHORTEST_S = 1e-300
"""No phase is shorter: less cannot be told from nothing."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The subchannels of N allocations, one row per allocation and client, ascending in noise, padded with inf.

    `entry` has shape (allocations * clients, width): index of the subchannel in the flattened allocations.
    """

    filling: WaterFilling
    noise: FloatArray
    bandwidth: FloatArray
    entry: IntArray


def rows_of(instance: Instance, owners: IntArray) -> Rows:
    """Sort the subchannels of allocations `owners`, shape (allocations, subchannels), by client and noise."""
    N, M = owners.shape
    C = instance.n_clients
    subchannel = np.arange(M)
    noise = instance.uplink_noise_w_per_hz[owners, subchannel].ravel()
    row = (owners + C * np.arange(N)[:, None]).ravel()
    order = np.lexsort((noise, row))
    if (owners == FREE).any():
        order = order[(owners != FREE).ravel()[order]]
    row = row[order]
    count = np.bincount(row, minlength=N * C)
    place = np.arange(len(order)) - np.repeat(count.cumsum() - count, count)
    width = max(int(count.max()), 1)
    entry = np.full((N * C, width), -1)
    entry[row, place] = order
    padded_noise = np.full((N * C, width), np.inf)
    padded_noise[row, place] = noise[order]
    bandwidth = instance.bandwidth_hz[entry % M]
    return Rows(WaterFilling.of_rows(padded_noise, bandwidth), padded_noise, bandwidth, entry)


def uplink_phase_s(rows: Rows, instance: Instance, costs: CutCosts) -> FloatArray:
    """Return the least T1 = max_i (t1_i + t2_i) of each allocation in seconds, shape (allocations,).

    inf where a client that must send holds no subchannel with a gain.
    """
    return float(costs.client_forward_s.max()) + uplink_slack_s(rows, instance, costs)


def uplink_slack_s(rows: Rows, instance: Instance, costs: CutCosts) -> FloatArray:
    """Return the least T1 - max_i t1_i of each allocation in seconds, shape (allocations,): digits that T1 may lack."""
    C = instance.n_clients
    N = len(rows.entry) // C
    if costs.uplink_bits == 0:
        return np.zeros(N)
    traffic = _Traffic(costs.uplink_bits * math.log(2), head_start_s(costs))
    total = instance.server.total_uplink_power_w
    limit = np.minimum(instance.max_power_w, total)
    slack = traffic.slack_s(rows.filling, limit)
    open_ = np.flatnonzero(np.isfinite(slack))
    filling = rows.filling.take((open_[:, None] * C + np.arange(C)).ravel())
    latest = traffic.slack_s(filling, limit * min(1.0, 1 / (limit / total).sum()))
    slack[open_] = _meet_total_power(filling, total, traffic, slack[open_], latest)
    return slack


def head_start_s(costs: CutCosts) -> FloatArray:
    """How much earlier than the last client each is ready to send, in seconds, shape (clients,)."""
    return float(costs.client_forward_s.max()) - costs.client_forward_s


@dataclass(frozen=True, eq=False)
class _Traffic:
    """What each client has to send, and the head start it has, shape (clients,)."""

    nats: float
    head_start_s: FloatArray

    def slack_s(self, filling: WaterFilling, power_w: FloatArray) -> FloatArray:
        """When the last client is done if each uses its power, shape (clients,), in seconds after all are ready."""
        C = len(power_w)
        rate = filling.max_rate(np.tile(power_w, len(filling.best_noise) // C)).reshape(-1, C)
        with np.errstate(divide="ignore", over="ignore"):  # no rate, or next to none: never
            own = self.nats / rate
        slack: FloatArray = np.maximum((own - self.head_start_s).max(axis=1), SHORTEST_S)
        return slack

    def power_w(self, filling: WaterFilling, slack_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Total power in watts that ends each phase so, and -d ln(power) / d ln(slack), shapes (allocations,)."""
        C = len(self.head_start_s)
        left = slack_s[:, None] + self.head_start_s
        rate = self.nats / left
        level, power = (part.reshape(-1, C) for part in filling.log_level(rate.ravel()))
        total = power.sum(axis=1)
        marginal = filling.best_noise.reshape(-1, C) * np.exp(level)
        with np.errstate(divide="ignore", invalid="ignore"):  # powers too small for a number never need a step
            steepness = (marginal * rate * (slack_s[:, None] / left)).sum(axis=1) / total
        return total, steepness


def _meet_total_power(
    filling: WaterFilling, total_w: float, traffic: _Traffic, earliest_s: FloatArray, latest_s: FloatArray
) -> FloatArray:
    """Delay each phase from its earliest end until the total power fits; Newton on logarithms, safeguarded."""
    C = len(traffic.head_start_s)
    slack, low, high = earliest_s.copy(), earliest_s.copy(), latest_s.copy()
    open_ = np.arange(len(slack))
    for _ in range(NEWTON_STEPS):
        here = slack[open_]
        part = filling.take((open_[:, None] * C + np.arange(C)).ravel())
        need, steepness = traffic.power_w(part, here)
        excess = need / total_w - 1
        low[open_] = np.where(excess > 0, here, low[open_])
        high[open_] = np.where(excess <= 0, np.minimum(here, high[open_]), high[open_])
        missed = (excess > ROOT_TOLERANCE) | ((excess < -ROOT_TOLERANCE) & (here > earliest_s[open_]))
        missed &= high[open_] > low[open_] * (1 + ROOT_TOLERANCE)
        open_, here, excess, steepness = open_[missed], here[missed], excess[missed], steepness[missed]
        if open_.size == 0:
            break
        step = here * np.exp(np.minimum(np.log1p(excess) / steepness, LARGEST_LOG))
        inside = (step > low[open_]) & (step < high[open_])
        slack[open_] = np.where(inside, step, np.sqrt(low[open_]) * np.sqrt(high[open_]))
    return slack


def best_schedule(instance: Instance, costs: CutCosts, cut_layer: int, owner: ArrayLike) -> Schedule | None:
    """Return the schedule with the best powers for an allocation, or None if a client that must send or receive cannot.

    Parameters
    ----------
    instance, costs, cut_layer
        The problem, and `latency.cut_costs` at that cut layer.
    owner
        Client index of each subchannel, or FREE, shape (subchannels,).
    """
    owners = np.asarray(owner, dtype=np.intp)[None, :]
    rows = rows_of(instance, owners)
    slack = uplink_slack_s(rows, instance, costs)[0]
    if not np.isfinite(slack):
        return None
    schedule = Schedule(cut_layer, owners[0], _powers(rows, instance, costs, slack))
    return schedule if math.isfinite(round_latency(instance, schedule).round_latency_s) else None


def _powers(rows: Rows, instance: Instance, costs: CutCosts, slack_s: float) -> FloatArray:
    """Least powers in watts that end the uplink phase so, shape (subchannels,); they keep every limit."""
    power = np.zeros(instance.n_subchannels)
    if costs.uplink_bits == 0:
        return power
    limit = np.minimum(instance.max_power_w, instance.server.total_uplink_power_w)
    faintest = FAINTEST * rows.filling.max_rate(limit)
    rate = np.maximum(costs.uplink_bits * math.log(2) / (slack_s + head_start_s(costs)), faintest)
    there = np.isfinite(rows.noise)
    row_power = np.where(there, rows.bandwidth * rows.filling.depths(rate), 0.0)
    used = row_power.sum(axis=1)
    fit = np.minimum(1.0, instance.max_power_w / np.maximum(used, instance.max_power_w))
    fit = fit * min(1.0, instance.server.total_uplink_power_w / max((used * fit).sum(), 1e-300))
    power[rows.entry[there]] = (row_power * fit[:, None])[there]
    return power
