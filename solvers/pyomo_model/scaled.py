"""The numbers of one cut layer in the units of the model.

The time of a phase counts from when its last client is ready, in units of the earliest it could end if every client
had all subchannels to itself. A client's rate is in units of what it would need for that earliest end: more than 1 is
never of use. An exchange of models is sent at the same rates as the smashed data, whose unit is then the larger of what
the client would need for both ends. Power on a subchannel is a share of what would give the client, on that subchannel
alone, the rate 1. All variables are then between 0 and 1 or of that order, whatever the instance's gains and traffic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Instance
from epsl_opt.core.water_filling import max_rate_bps
from epsl_opt.solvers.dual.lagrangian import CutProblem
from epsl_opt.solvers.pyomo_model.pyomo_types import Expression

SLACK = 1e-6
"""Relative widening of the ranges of variables, so that a range never cuts an optimum off."""

FINEST = 1e-9
"""Neither tangents nor gaps are sought any finer."""

LONGEST = 1e3
"""The latest end of a phase that gets a tangent where nothing better is known, over the earliest."""


@dataclass(frozen=True, eq=False)
class ScaledPhase:
    """One radio phase.

    `unit_s` is its earliest end, in seconds after the last client is ready; `latest` is in that unit. `head_start`, how
    much earlier a client is ready, has shape (clients,). `rate` is what a subchannel gives in the downlink, and its
    bandwidth (rate per nat) in the uplink, shape (clients, subchannels); `heard` is where there is a gain. `need`, the
    rate that a client needs for the earliest end, has shape (clients,): 1, or less where another phase needs more.
    """

    unit_s: float
    latest: float
    head_start: FloatArray
    heard: BoolArray
    rate: FloatArray
    need: FloatArray

    @property
    def work(self) -> FloatArray:
        """What a client's rate, times its time from when it is ready to the phase's end, comes to, shape (clients,)."""
        return self.need * (1 + self.head_start)

    def needed_rate(self, i: int, end: Expression) -> Expression:
        """The rate client i needs for the phase to end at `end`: `need` at the earliest end."""
        return float(self.work[i]) / (end + float(self.head_start[i]))


@dataclass(frozen=True, eq=False)
class ScaledCut:
    """One cut layer; None for a phase in which nothing is sent.

    `exchange` is that of client-side models; all clients are ready for it at once, and where there is an uplink phase
    too, both have the same `rate` and `heard`. `unit_s` is the sum of the phases' earliest ends, `fixed_s` what no
    decision changes. `noise` in W/Hz is as the transmitter sees it; `snr` and `full_power` (in P_th) belong to a power
    share of 1; all three have shape (clients, subchannels). `power_limit` (in P_th) has shape (clients,).
    """

    unit_s: float
    fixed_s: float
    least: int
    most: int
    uplink: ScaledPhase | None
    downlink: ScaledPhase | None
    exchange: ScaledPhase | None
    noise: FloatArray
    snr: FloatArray
    full_power: FloatArray
    power_limit: FloatArray

    @property
    def sending(self) -> tuple[ScaledPhase, ...]:
        """The phases in which clients send."""
        return tuple(phase for phase in (self.uplink, self.exchange) if phase is not None)

    @property
    def phases(self) -> tuple[ScaledPhase, ...]:
        """The phases in which something is sent."""
        return self.sending if self.downlink is None else (*self.sending, self.downlink)

    @property
    def shape(self) -> tuple[int, int]:
        """(clients, subchannels)."""
        C, M = self.snr.shape
        return C, M


def scaled_cut(instance: Instance, cut: int, latency_s: float = math.inf) -> ScaledCut:
    """Scale one cut layer.

    Parameters
    ----------
    instance, cut
        The instance and the index of the cut layer.
    latency_s
        Round latency of a schedule in hand: only better ones are looked for.
    """
    costs = cut_costs(instance, cut)
    problem = CutProblem.of(instance, costs)
    alone_bps = max_rate_bps(problem.noise, problem.bandwidth_hz, problem.max_power_w)
    # Negligible traffic is left out, as in the dual: scaled to one it would make all rates endless.
    uplink_bits = costs.uplink_bits if problem.uplink_nats > 0 else 0.0
    exchange_bits = costs.exchange_bits if problem.exchange_nats > 0 else 0.0
    together = np.zeros(instance.n_clients)
    up_s = _earliest_s(costs.client_forward_s, uplink_bits, alone_bps)
    down_s = _earliest_s(costs.client_backward_s, problem.downlink_bits, problem.downlink_bps.sum(axis=1))
    exchange_s = _earliest_s(together, exchange_bits, alone_bps)
    fixed_s = costs.shared_s + float(costs.client_forward_s.max() + costs.client_backward_s.max())
    spare_s = max(latency_s - fixed_s - up_s - down_s - exchange_s, 0.0)
    uplink = downlink = exchange = None
    nats_per_s = np.where(np.isfinite(problem.noise), problem.bandwidth_hz, 0.0)
    if uplink_bits > 0:
        uplink = _phase(costs.client_forward_s, up_s, spare_s, nats_per_s / (uplink_bits * math.log(2)))
    if problem.downlink_bits > 0:
        downlink = _phase(costs.client_backward_s, down_s, spare_s, problem.downlink_bps / problem.downlink_bits)
    if exchange_bits > 0:
        exchange = _phase(together, exchange_s, spare_s, nats_per_s / (exchange_bits * math.log(2)))
        if uplink is not None:
            uplink, exchange = _at_same_rates(uplink, exchange), _at_same_rates(exchange, uplink)
    power = _full_power_w(problem, exchange if uplink is None else uplink)
    everything = problem.everything()
    return ScaledCut(
        unit_s=up_s + down_s + exchange_s or 1.0,
        fixed_s=fixed_s,
        least=int(everything.least.max()),
        most=int(everything.most.max()),
        uplink=uplink,
        downlink=downlink,
        exchange=exchange,
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


def _phase(ready_s: FloatArray, earliest_s: float, spare_s: float, per_traffic: FloatArray) -> ScaledPhase:
    head_start = (ready_s.max() - ready_s) / earliest_s
    rate = per_traffic * (earliest_s * (1 + head_start[:, None]))
    need = np.ones(len(head_start))
    return ScaledPhase(earliest_s, (1 + spare_s / earliest_s) * (1 + SLACK), head_start, rate > 0, rate, need)


def _at_same_rates(phase: ScaledPhase, other: ScaledPhase) -> ScaledPhase:
    """The phase in units of what each client needs for its earliest end or for that of the other, if that is more."""
    own, both = phase.rate.max(axis=1), np.minimum(phase.rate, other.rate)
    need = np.divide(both.max(axis=1), own, out=np.ones_like(own), where=own > 0)
    return replace(phase, heard=both > 0, rate=both, need=need)


def _full_power_w(problem: CutProblem, sending: ScaledPhase | None) -> FloatArray:
    """What gives a client the rate 1 on one subchannel alone, or its limit, shape (clients, subchannels)."""
    limit = np.broadcast_to(problem.max_power_w[:, None], problem.noise.shape)
    if sending is None:
        return limit
    with np.errstate(over="ignore", divide="ignore"):
        needed = problem.bandwidth_hz * problem.noise * np.expm1(1 / sending.rate)
    return np.minimum(limit, needed * (1 + SLACK))
