"""The problem in the units that general MINLP solvers are given: subchannels of average bandwidth 1, powers up to 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from epsl_opt import FREE, Instance, SolveMonitor
from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.latency import CutCosts
from epsl_opt.solvers.primal.allocation import equal_density_power_w, greedy_allocation
from epsl_opt.solvers.primal.evaluation import allocation_latencies_s
from epsl_opt.solvers.primal.offering import offer_allocation


@dataclass(frozen=True, eq=False)
class Phase:
    """One radio phase at one cut layer: every client's traffic (rate unit times s), and when each can start (s)."""

    traffic: float
    ready_s: FloatArray


@dataclass(frozen=True, eq=False)
class MinlpData:
    """An instance in scaled units.

    Power of client i is in units of min(P_i, P_th), rates in nats per second (uplink) and bits per second (downlink)
    per hertz of the average bandwidth. `exchange`, of models, is at the rates of the uplink. `snr`, `full_rate` and
    `downlink_rate` have shape (clients, subchannels); `power_share` is what client i's full power takes of P_th.
    """

    bandwidth: FloatArray
    snr: FloatArray
    power_share: FloatArray
    downlink_rate: FloatArray
    uplink: Mapping[int, Phase]
    downlink: Mapping[int, Phase]
    exchange: Mapping[int, Phase]
    shared_s: Mapping[int, float]

    @classmethod
    def of(cls, instance: Instance, cuts: Mapping[int, CutCosts]) -> MinlpData:
        """Scale `instance` at the cut layers given."""
        unit = float(instance.bandwidth_hz.mean())
        total_w = instance.server.total_uplink_power_w
        limit_w = np.minimum(instance.max_power_w, total_w)
        nats = math.log(2) / unit
        return cls(
            bandwidth=instance.bandwidth_hz / unit,
            snr=limit_w[:, None] / (instance.bandwidth_hz * instance.uplink_noise_w_per_hz),
            power_share=limit_w / total_w,
            downlink_rate=instance.downlink_rate_bps / unit,
            uplink={j: Phase(cost.uplink_bits * nats, cost.client_forward_s) for j, cost in cuts.items()},
            downlink={j: Phase(cost.downlink_bits / unit, cost.client_backward_s) for j, cost in cuts.items()},
            exchange={j: Phase(cost.exchange_bits * nats, np.zeros(instance.n_clients)) for j, cost in cuts.items()},
            shared_s={j: cost.shared_s for j, cost in cuts.items()},
        )

    @property
    def exchanges(self) -> bool:
        """Whether models are exchanged at any cut layer."""
        return any(phase.traffic > 0 for phase in self.exchange.values())

    @property
    def full_rate(self) -> FloatArray:
        """Uplink rate of a client that spends all its power on one subchannel."""
        return self.bandwidth * np.log1p(self.snr)


def offer_rounded(
    monitor: SolveMonitor, cuts: Mapping[int, CutCosts], cut: int, fraction: FloatArray, whole: float = 0.5
) -> None:
    """Offer the schedule of a (nearly) binary allocation, shape (clients, subchannels), with the best powers for it."""
    owner = np.where(fraction.max(axis=0) > whole, fraction.argmax(axis=0), FREE)
    offer_allocation(monitor, cuts[cut], cut, owner)


def promising_first(instance: Instance, cuts: Mapping[int, CutCosts]) -> list[int]:
    """Sort cut layers by the latency of their greedy allocation, so that a good incumbent comes early."""
    power_w = equal_density_power_w(instance)

    def guess_s(cut: int) -> float:
        owner = greedy_allocation(instance, cuts[cut], power_w)
        return float(allocation_latencies_s(instance, cuts[cut], owner[None, :])[0])

    return sorted(cuts, key=guess_s)
