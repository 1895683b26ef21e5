"""An instance as the search sees it: plain arrays, with the costs of all feasible cut layers stacked."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.solvers.primal.cuts import feasible_cuts

SILENT_W_PER_HZ = 1e150


@dataclass(frozen=True, eq=False)
class SearchProblem:
    """Arrays over clients and subchannels (C, M) or (M,), and over feasible cut layers (J,) or (J, C).

    `noise` is sigma^2 / G in W/Hz, finite even where the gain is zero; `nats` is the uplink traffic of a client,
    `sent_nats` that and what it sends of its model.
    """

    instance: Instance
    costs: tuple[CutCosts, ...]

    cut_layer: IntArray
    nats: FloatArray
    sent_nats: FloatArray
    downlink_bits: FloatArray
    shared_s: FloatArray
    forward_s: FloatArray
    backward_s: FloatArray
    noise: FloatArray
    log_noise: FloatArray
    bandwidth_hz: FloatArray
    downlink_bps: FloatArray
    limit_w: FloatArray
    total_w: float

    @classmethod
    def of(cls, instance: Instance) -> SearchProblem:
        """Collect what the search needs of an instance that has a feasible cut layer."""
        cuts = feasible_cuts(instance)
        costs = list(cuts.values())
        noise = np.minimum(instance.uplink_noise_w_per_hz, SILENT_W_PER_HZ)
        total_w = instance.server.total_uplink_power_w
        return cls(
            instance=instance,
            costs=tuple(costs),
            cut_layer=np.array(list(cuts)),
            nats=np.array([cost.uplink_bits for cost in costs]) * math.log(2),
            sent_nats=np.array([cost.uplink_bits + cost.exchange_bits for cost in costs]) * math.log(2),
            downlink_bits=np.array([cost.downlink_bits for cost in costs]),
            shared_s=np.array([cost.shared_s for cost in costs]),
            forward_s=np.array([cost.client_forward_s for cost in costs]),
            backward_s=np.array([cost.client_backward_s for cost in costs]),
            noise=noise,
            log_noise=np.log(noise),
            bandwidth_hz=instance.bandwidth_hz,
            downlink_bps=instance.downlink_rate_bps,
            limit_w=np.minimum(instance.max_power_w, total_w),
            total_w=total_w,
        )

    @property
    def exchanges(self) -> bool:
        """Whether models are exchanged at any cut layer."""
        return bool((self.sent_nats > self.nats).any())

    @property
    def n_clients(self) -> int:
        """C."""
        return len(self.noise)

    @property
    def n_subchannels(self) -> int:
        """M."""
        return len(self.bandwidth_hz)

    @property
    def n_cuts(self) -> int:
        """Number of feasible cut layers."""
        return len(self.nats)
