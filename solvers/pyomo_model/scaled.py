"""The numbers of one cut layer in the units of the model.

Time counts from when the last client is ready, in a reference time of the order of the radio phases. Rates are in units
of a client's traffic per reference time, so that a client needs the rate 1 / (time it has). Power on a subchannel is a
share of what would give the client, on that subchannel alone, the largest rate it can ever need. All variables are then
of the order of one, whatever the instance's gains and traffic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from epsl_opt.arrays import BoolArray, FloatArray
from epsl_opt.instance import Instance
from epsl_opt.solvers.lagrangian import CutProblem
from epsl_opt.water_filling import max_rate_bps

SLACK = 1e-6
"""Relative widening of the ranges of variables, so that a range never cuts an optimum off."""

LONGEST = 1e3
"""The latest end of a phase that gets a tangent where nothing better is known, over the earliest."""


@dataclass(frozen=True, eq=False)
class ScaledPhase:
    """One radio phase; time in reference times since the last client was ready.

    `head_start` and `most_rate` (what a client can need at most) have shape (clients,). `rate` is what a subchannel
    gives in the downlink, `bandwidth` (per nat) in the uplink, shape (clients, subchannels); `heard` is where there
    is a gain.
    """

    earliest: float
    latest: float
    head_start: FloatArray
    heard: BoolArray
    rate: FloatArray

    @property
    def most_rate(self) -> FloatArray:
        """The rate a client needs if the phase ends as early as it possibly can."""
        return 1.0 / (self.earliest + self.head_start)


@dataclass(frozen=True, eq=False)
class ScaledCut:
    """One cut layer; None for a phase in which nothing is sent.

    `fixed_s` is what no decision changes. `noise` in W/Hz is as the transmitter sees it; `snr` and `full_power` (in
    P_th) belong to a power share of 1; all three have shape (clients, subchannels). `power_limit` (in P_th) has shape
    (clients,).
    """

    unit_s: float
    fixed_s: float
    least: int
    most: int
    uplink: ScaledPhase | None
    downlink: ScaledPhase | None
    noise: FloatArray
    snr: FloatArray
    full_power: FloatArray
    power_limit: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """(clients, subchannels)."""
        C, M = self.snr.shape
        return C, M


def scaled_cut(instance: Instance, problem: CutProblem, unit_s: float, latency_s: float = math.inf) -> ScaledCut:
    """Scale one cut layer.

    Parameters
    ----------
    instance, problem
        The instance and its data at the cut layer.
    unit_s
        The reference time in seconds.
    latency_s
        Round latency of a schedule in hand: only better ones are looked for.
    """
    costs = problem.costs
    alone_bps = max_rate_bps(problem.noise, problem.bandwidth_hz, problem.max_power_w)
    up_s = _earliest_s(costs.client_forward_s, costs.uplink_bits, alone_bps)
    down_s = _earliest_s(costs.client_backward_s, costs.downlink_bits, problem.downlink_bps.sum(axis=1))
    fixed_s = costs.shared_s + float(costs.client_forward_s.max() + costs.client_backward_s.max())
    spare_s = latency_s - fixed_s - up_s - down_s
    bandwidth = np.broadcast_to(problem.bandwidth_hz, problem.noise.shape)
    uplink = downlink = None
    if costs.uplink_bits > 0:
        nats = problem.uplink_nats
        heard = np.isfinite(problem.noise)
        uplink = _phase(costs.client_forward_s, up_s, spare_s, unit_s, heard, bandwidth * (unit_s / nats))
    if costs.downlink_bits > 0:
        rate = problem.downlink_bps * (unit_s / costs.downlink_bits)
        downlink = _phase(costs.client_backward_s, down_s, spare_s, unit_s, rate > 0, rate)
    power = _full_power_w(problem, uplink)
    everything = problem.everything()
    return ScaledCut(
        unit_s=unit_s,
        fixed_s=fixed_s,
        least=int(everything.least.max()),
        most=int(everything.most.max()),
        uplink=uplink,
        downlink=downlink,
        noise=problem.noise,
        snr=power / (problem.bandwidth_hz * problem.noise),
        full_power=power / problem.total_power_w,
        power_limit=problem.max_power_w / problem.total_power_w,
    )


def _earliest_s(ready_s: FloatArray, bits: float, alone_bps: FloatArray) -> float:
    """When every client would have finished if it had all subchannels, in seconds after the last one was ready."""
    if bits == 0:
        return 0.0
    with np.errstate(divide="ignore"):
        return float((ready_s - ready_s.max() + bits / alone_bps).max()) * (1 - SLACK)


def _phase(
    ready_s: FloatArray, earliest_s: float, spare_s: float, unit_s: float, heard: BoolArray, rate: FloatArray
) -> ScaledPhase:
    earliest = earliest_s / unit_s
    latest = (earliest_s + max(spare_s, 0.0)) / unit_s * (1 + SLACK)
    return ScaledPhase(earliest, latest, (ready_s.max() - ready_s) / unit_s, heard, rate)


def _full_power_w(problem: CutProblem, uplink: ScaledPhase | None) -> FloatArray:
    """What gives a client the most it can need on one subchannel alone, or its limit, shape (clients, subchannels)."""
    limit = np.broadcast_to(problem.max_power_w[:, None], problem.noise.shape)
    if uplink is None:
        return limit
    with np.errstate(over="ignore"):
        needed = problem.bandwidth_hz * problem.noise * np.expm1(uplink.most_rate[:, None] / uplink.rate)
    return np.minimum(limit, needed * (1 + SLACK))
