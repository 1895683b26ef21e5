"""Power control, exactly: for a given allocation and cut layer, the powers that end the uplink phase first.

The phase can end at T1 if and only if every client's least power for its rate, bits / (T1 - t1_i), fits P_i, and their
sum fits P_th. The first condition gives the earliest T1 in closed form; the second is a decreasing function of T1 whose
root a safeguarded Newton iteration finds (model of section IV of the paper; its own algorithm solves a convex program).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from epsl_opt.arrays import FloatArray, IntArray
from epsl_opt.instance import Instance
from epsl_opt.latency import CutCosts, round_latency
from epsl_opt.schedule import FREE, Schedule
from epsl_opt.water_filling import WaterFilling

NEWTON_STEPS = 100
ROOT_TOLERANCE = 4e-15


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
    C = instance.n_clients
    N = len(rows.entry) // C
    ready = costs.client_forward_s
    if costs.uplink_bits == 0:
        return np.full(N, ready.max())
    nats = costs.uplink_bits * math.log(2)
    limit = np.minimum(instance.max_power_w, instance.server.total_uplink_power_w)
    with np.errstate(divide="ignore"):
        own = nats / rows.filling.max_rate(np.tile(limit, N)).reshape(N, C)
    phase = (ready + own).max(axis=1)
    return _meet_total_power(rows.filling, instance, ready, nats, phase)


def _meet_total_power(
    filling: WaterFilling, instance: Instance, ready: FloatArray, nats: float, earliest: FloatArray
) -> FloatArray:
    """Delay each phase from its earliest end until the total power fits; Newton on the logarithm of the power."""
    total = instance.server.total_uplink_power_w
    C = len(ready)
    low, high = earliest.copy(), np.full_like(earliest, np.inf)
    phase = earliest.copy()
    for _ in range(NEWTON_STEPS):
        slack = phase[:, None] - ready
        rate = nats / slack
        level, power = filling.log_level(rate.ravel())
        power = power.reshape(-1, C)
        need = power.sum(axis=1)
        open_ = (need > total * (1 + ROOT_TOLERANCE)) | ((need < total * (1 - ROOT_TOLERANCE)) & (phase > earliest))
        open_ &= np.isfinite(phase) & (high > low + ROOT_TOLERANCE * phase)
        if not open_.any():
            break
        marginal = filling.best_noise.reshape(-1, C) * np.exp(level).reshape(-1, C)
        slope = (marginal * rate / slack).sum(axis=1)
        np.copyto(low, phase, where=need > total)
        np.copyto(high, phase, where=need <= total)
        step = phase + np.log(need / total) * need / slope
        inside = (step > low) & (step < high)
        middle = np.where(np.isfinite(high), 0.5 * (low + high), 2 * low)
        np.copyto(phase, np.where(inside, step, middle), where=open_)
    return phase


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
    phase = uplink_phase_s(rows, instance, costs)[0]
    if not np.isfinite(phase):
        return None
    schedule = Schedule(cut_layer, owners[0], _powers(rows, instance, costs, phase))
    return schedule if math.isfinite(round_latency(instance, schedule).round_latency_s) else None


def _powers(rows: Rows, instance: Instance, costs: CutCosts, phase_s: float) -> FloatArray:
    """Least powers in watts that end the uplink phase at `phase_s`, shape (subchannels,); they keep every limit."""
    power = np.zeros(instance.n_subchannels)
    if costs.uplink_bits == 0:
        return power
    rate = costs.uplink_bits * math.log(2) / (phase_s - costs.client_forward_s)
    level, _ = rows.filling.log_level(rate)
    best = rows.filling.best_noise[:, None]
    height = best * np.maximum(np.expm1(level)[:, None] - rows.filling.excess, 0.0)
    there = np.isfinite(rows.noise)
    row_power = np.where(there, rows.bandwidth * height, 0.0)
    used = row_power.sum(axis=1)
    fit = np.minimum(1.0, instance.max_power_w / np.maximum(used, instance.max_power_w))
    fit = fit * min(1.0, instance.server.total_uplink_power_w / max((used * fit).sum(), 1e-300))
    power[rows.entry[there]] = (row_power * fit[:, None])[there]
    return power
