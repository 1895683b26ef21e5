"""The one definition of rates and of the stages of a split round (model.md sections 3 and 4; paper, section IV).

Everything is vectorised over clients and subchannels. Solvers, checker, training clock and tests all use this module;
what a cut layer costs under the instance's own framework is in `framework_costs`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance_data import InstanceData
from epsl_opt.core.schedule import FREE, Schedule
from epsl_opt.core.stage_times import RoundStages


@dataclass(frozen=True, eq=False)
class CutCosts:
    """What a cut layer fixes before any radio resource is decided.

    `client_forward_s` (t1) and `client_backward_s` (t7) have shape (clients,). `uplink_bits` and `downlink_bits` are
    each client's own traffic in a round; `broadcast_bits` goes to all clients at once. `exchange_bits` is what each
    client sends of its model in a third phase, in the mean of rounds, and `exchange_broadcast_s` what sending the
    average to all takes. `turns_s` is the time of clients that take turns, in which nothing is to be allocated.
    """

    client_forward_s: FloatArray
    client_backward_s: FloatArray
    server_forward_s: float
    server_backward_s: float
    broadcast_s: float
    uplink_bits: float
    downlink_bits: float
    broadcast_bits: float
    exchange_bits: float = 0.0
    exchange_broadcast_s: float = 0.0
    turns_s: float = 0.0

    @property
    def shared_s(self) -> float:
        """t3 + t4 + t5 and other broadcasts and turns: what allocation and power cannot change."""
        fixed = self.exchange_broadcast_s + self.turns_s
        return self.server_forward_s + self.server_backward_s + self.broadcast_s + fixed

    @property
    def sends(self) -> bool:
        """Whether a client sends anything over its own subchannels."""
        return self.uplink_bits > 0 or self.exchange_bits > 0

    @property
    def idle(self) -> bool:
        """Whether nothing depends on who holds which subchannel."""
        return not self.sends and self.downlink_bits == 0


@dataclass(frozen=True, eq=False)
class RoundLatency(RoundStages):
    """The stages of one EPSL round under a schedule, and the rates behind them, per client of shape (clients,)."""

    uplink_bps: FloatArray
    downlink_bps: FloatArray
    broadcast_bps: float


def uplink_rates_bps(instance: InstanceData, schedule: Schedule) -> FloatArray:
    """R_i = sum_k r_ik B_k log2(1 + p_k G^UL_ik / (sigma^2 B_k)), shape (clients,)."""
    owned = np.flatnonzero(schedule.subchannel_client != FREE)
    owner = schedule.subchannel_client[owned]
    bandwidth = instance.bandwidth_hz[owned]
    with np.errstate(over="ignore"):  # of powers that no limit allows
        density = schedule.subchannel_power_w[owned] / bandwidth
        snr = density * instance.channel.uplink_gain[owner, owned] / instance.channel.noise_psd_w_per_hz
    return _sum_by_client(bandwidth * np.log1p(snr) / math.log(2), owner, instance.n_clients)


def downlink_rates_bps(instance: InstanceData, schedule: Schedule) -> FloatArray:
    """R'_i = sum_k r_ik B_k log2(1 + p_DL G^DL_ik / sigma^2), shape (clients,)."""
    owned = np.flatnonzero(schedule.subchannel_client != FREE)
    owner = schedule.subchannel_client[owned]
    return _sum_by_client(instance.downlink_rate_bps[owner, owned], owner, instance.n_clients)


def broadcast_rate_bps(instance: InstanceData) -> float:
    """R_bc: all M subchannels, the slowest client's rate."""
    return float(instance.downlink_rate_bps.sum(axis=1).min())


def broadcast_time_s(instance: InstanceData, bits: float) -> float:
    """Return how long `bits` for all clients take; inf if one hears nothing."""
    return float(transmission_time_s(bits, np.array(broadcast_rate_bps(instance))))


def transmission_time_s(bits: float, rate_bps: FloatArray) -> FloatArray:
    """`bits / rate_bps`, where nothing to send takes no time at any rate, and (next to) no rate takes forever."""
    if bits == 0:
        return np.zeros_like(rate_bps)
    with np.errstate(divide="ignore", over="ignore"):
        return bits / rate_bps


def split_costs(instance: InstanceData, cut_layer: int, aggregated_samples: int) -> CutCosts:
    """Evaluate stages 1, 3, 4, 5 and 7 and the traffic of a split round at a cut layer.

    Parameters
    ----------
    aggregated_samples
        m, how many samples of a batch have their gradients aggregated.

    Raises
    ------
    IndexError
        If the instance has no such cut layer.
    """
    if not 0 <= cut_layer < instance.n_cut_layers:
        raise IndexError(f"cut layer {cut_layer} is not in 0..{instance.n_cut_layers - 1}")
    model, cut = instance.model, instance.model.cut_layers[cut_layer]
    C, b, m = instance.n_clients, instance.training.batch_size, aggregated_samples
    server = instance.server_flops_per_s
    hidden_flops = max(model.total_backward_flops - cut.client_backward_flops - model.last_layer_backward_flops, 0.0)
    rows = m + C * (b - m)
    return CutCosts(
        client_forward_s=b * cut.client_forward_flops / instance.client_flops_per_s,
        client_backward_s=b * cut.client_backward_flops / instance.client_flops_per_s,
        server_forward_s=C * b * (model.total_forward_flops - cut.client_forward_flops) / server,
        server_backward_s=(rows * hidden_flops + C * b * model.last_layer_backward_flops) / server,
        broadcast_s=broadcast_time_s(instance, m * cut.gradient_bits),
        uplink_bits=b * cut.activation_bits,
        downlink_bits=(b - m) * cut.gradient_bits,
        broadcast_bits=m * cut.gradient_bits,
    )


def client_memory_bits(instance: InstanceData, cut_layer: int) -> float:
    """Return what training at a cut layer takes of a client's memory: weights, their gradients, stored activations.

    2 beta_j + b a_j, a reconstruction: a_j is `stored_activation_bits`, or the sum of the activations at the cut layers
    up to this one. An optimiser's state is not counted. Federated averaging trains the whole network, of whose
    activations those up to the last cut layer are known.
    """
    weights = instance.model.cut_layers[cut_layer].client_parameter_bits
    if instance.training.framework is Framework.FL:
        weights, cut_layer = instance.model.total_parameter_bits, instance.n_cut_layers - 1
    return 2 * weights + instance.training.batch_size * instance.model.stored_activation_bits(cut_layer)


def round_latency(instance: InstanceData, schedule: Schedule) -> RoundLatency:
    """Evaluate one EPSL round; the schedule must fit the instance's shapes (see `checker.check`).

    The round that an instance is about may be another framework's: see `frameworks.instance_round`.
    """
    return split_round(instance, schedule, instance.aggregated_samples)


def split_round(instance: InstanceData, schedule: Schedule, aggregated_samples: int) -> RoundLatency:
    """Evaluate one round of EPSL that aggregates so many samples of each batch: of PSL, if none."""
    costs = split_costs(instance, schedule.cut_layer, aggregated_samples)
    uplink = uplink_rates_bps(instance, schedule)
    downlink = downlink_rates_bps(instance, schedule)
    return RoundLatency(
        client_forward_s=costs.client_forward_s,
        uplink_s=transmission_time_s(costs.uplink_bits, uplink),
        server_forward_s=costs.server_forward_s,
        server_backward_s=costs.server_backward_s,
        broadcast_s=costs.broadcast_s,
        downlink_s=transmission_time_s(costs.downlink_bits, downlink),
        client_backward_s=costs.client_backward_s,
        uplink_bps=uplink,
        downlink_bps=downlink,
        broadcast_bps=broadcast_rate_bps(instance),
    )


def _sum_by_client(values: FloatArray, owner: IntArray, n_clients: int) -> FloatArray:
    return np.bincount(owner, weights=values, minlength=n_clients).astype(np.float64)
