"""Power control, exactly: for a given allocation and cut layer, the powers that end the uplink phase first.

Without an exchange of models, the phase can end at T1 if and only if every client's least power for its rate,
bits / (T1 - t1_i), fits P_i, and their sum fits P_th. The first condition gives the earliest T1 in closed form; the
second is a decreasing function of T1 whose root a safeguarded Newton iteration finds (model of section IV of the paper;
its own algorithm solves a convex program). The unknown is T1 - max_i t1_i, the slack: beside long computing, T1 itself
would not have the digits that powers need.

With an exchange, the same rates must end a second phase, R_i >= e / T3, whose length is chosen together with T1: see
`shared_power`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.core.schedule import FREE, Schedule
from epsl_opt.core.water_filling import WaterFilling
from epsl_opt.solvers.primal.shared_power import SharedPower
from epsl_opt.solvers.primal.traffic import Traffic

FAINTEST = 1e-100
"""No client sends at less of its best rate: the power could be too small for a number, and nothing would arrive."""


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


def sending_s(rows: Rows, instance: Instance, costs: CutCosts) -> FloatArray:
    """Return the least T1 + T3 of each allocation in seconds, T1 alone without exchange, shape (allocations,).

    inf where a client that must send holds no subchannel with a gain.
    """
    slack, exchange = sending_times_s(rows, instance, costs)
    phase: FloatArray = float(costs.client_forward_s.max()) + slack
    return phase if costs.exchange_bits == 0 else phase + exchange


def sending_times_s(rows: Rows, instance: Instance, costs: CutCosts) -> tuple[FloatArray, FloatArray]:
    """Return the best T1 - max_i t1_i (digits that T1 may lack) and T3 of each allocation, shapes (allocations,)."""
    N = len(rows.entry) // instance.n_clients
    if not costs.sends:
        return np.zeros(N), np.zeros(N)
    uplink, exchange = _traffic(costs)
    limit = np.minimum(instance.max_power_w, instance.server.total_uplink_power_w)
    slack, other = np.full(N, np.inf), np.full(N, np.inf)
    power = SharedPower.of(rows.filling, instance.server.total_uplink_power_w, limit)
    open_ = np.flatnonzero(np.isfinite((uplink if uplink.nats > 0 else exchange).slack_s(power.own_rate)))
    slack[open_], other[open_] = power.take(open_).best_times_s(uplink, exchange)
    return slack, other


def head_start_s(costs: CutCosts) -> FloatArray:
    """How much earlier than the last client each is ready to send, in seconds, shape (clients,)."""
    return float(costs.client_forward_s.max()) - costs.client_forward_s


def _traffic(costs: CutCosts) -> tuple[Traffic, Traffic]:
    """The uplink phase's, and the exchange's, in which all begin at once."""
    head_start = head_start_s(costs)
    nats = costs.uplink_bits * math.log(2), costs.exchange_bits * math.log(2)
    return Traffic(nats[0], head_start), Traffic(nats[1], np.zeros_like(head_start))


def best_schedule(instance: Instance, costs: CutCosts, cut_layer: int, owner: ArrayLike) -> Schedule | None:
    """Return the schedule with the best powers for an allocation, or None if a client that must send or receive cannot.

    Parameters
    ----------
    instance, costs, cut_layer
        The problem, and `framework_costs.cut_costs` at that cut layer.
    owner
        Client index of each subchannel, or FREE, shape (subchannels,).
    """
    owners = np.asarray(owner, dtype=np.intp)[None, :]
    rows = rows_of(instance, owners)
    slack, exchange = sending_times_s(rows, instance, costs)
    if not np.isfinite(slack[0] + exchange[0]):
        return None
    schedule = Schedule(cut_layer, owners[0], _powers(rows, instance, costs, (slack[0], exchange[0])))
    return schedule if math.isfinite(instance_round(instance, schedule).round_latency_s) else None


def _powers(rows: Rows, instance: Instance, costs: CutCosts, times_s: tuple[float, float]) -> FloatArray:
    """Least powers in watts that end both phases so, shape (subchannels,); they keep every limit."""
    power = np.zeros(instance.n_subchannels)
    if not costs.sends:
        return power
    limit = np.minimum(instance.max_power_w, instance.server.total_uplink_power_w)
    uplink, exchange = _traffic(costs)
    rate = np.maximum(uplink.rate(times_s[0]), exchange.rate(times_s[1]))
    rate = np.maximum(rate, FAINTEST * rows.filling.max_rate(limit))
    there = np.isfinite(rows.noise)
    row_power = np.where(there, rows.bandwidth * rows.filling.depths(rate), 0.0)
    used = row_power.sum(axis=1)
    fit = np.minimum(1.0, instance.max_power_w / np.maximum(used, instance.max_power_w))
    fit = fit * min(1.0, instance.server.total_uplink_power_w / max((used * fit).sum(), 1e-300))
    power[rows.entry[there]] = (row_power * fit[:, None])[there]
    return power
