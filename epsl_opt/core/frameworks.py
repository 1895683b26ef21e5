"""One round of the frameworks EPSL is compared with, under the same radio and compute (paper, section VII).

Each has the stages of its round as a frozen record with `round_latency_s`; EPSL itself is `latency.round_latency`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import (
    RoundLatency,
    broadcast_rate_bps,
    cut_costs,
    round_latency,
    transmission_time_s,
    uplink_rates_bps,
)
from epsl_opt.core.schedule import Schedule
from epsl_opt.core.water_filling import max_rate_bps


@dataclass(frozen=True, eq=False)
class SflRound:
    """SplitFed: a PSL round, then the client-side models are uploaded, averaged and broadcast.

    `model_upload_s` has shape (clients,).
    """

    training: RoundLatency
    model_upload_s: FloatArray
    model_broadcast_s: float

    @property
    def round_latency_s(self) -> float:
        """The PSL round, the slowest upload, the broadcast."""
        return self.training.round_latency_s + float(self.model_upload_s.max()) + self.model_broadcast_s


@dataclass(frozen=True, eq=False)
class VanillaSlRound:
    """Vanilla split learning: one client after another, each alone on all subchannels; arrays have shape (clients,).

    Each client receives the client-side model, trains on its batch and hands the model back. The server's times are
    for one client's batch.
    """

    model_download_s: FloatArray
    client_forward_s: FloatArray
    uplink_s: FloatArray
    server_forward_s: float
    server_backward_s: float
    downlink_s: FloatArray
    client_backward_s: FloatArray
    model_upload_s: FloatArray

    @property
    def client_turn_s(self) -> FloatArray:
        """How long each client's turn takes, shape (clients,)."""
        radio = self.model_download_s + self.uplink_s + self.downlink_s + self.model_upload_s
        client = self.client_forward_s + self.client_backward_s
        return radio + client + self.server_forward_s + self.server_backward_s

    @property
    def round_latency_s(self) -> float:
        """All turns, one after another."""
        return float(self.client_turn_s.sum())


@dataclass(frozen=True, eq=False)
class FlRound:
    """Federated averaging without a split: every client trains the whole network; arrays have shape (clients,)."""

    training_s: FloatArray
    upload_s: FloatArray
    broadcast_s: float

    @property
    def round_latency_s(self) -> float:
        """Until the slowest client has trained and uploaded, then the broadcast."""
        return float((self.training_s + self.upload_s).max()) + self.broadcast_s


def psl_round(instance: Instance, schedule: Schedule) -> RoundLatency:
    """Evaluate parallel split learning: EPSL that aggregates nothing."""
    return round_latency(instance.with_training(aggregation_ratio=0.0), schedule)


def sfl_round(instance: Instance, schedule: Schedule) -> SflRound:
    """Evaluate SplitFed under the schedule's subchannels and powers."""
    bits = instance.model.cut_layers[schedule.cut_layer].client_parameter_bits
    return SflRound(
        training=psl_round(instance, schedule),
        model_upload_s=transmission_time_s(bits, uplink_rates_bps(instance, schedule)),
        model_broadcast_s=_broadcast_s(instance, bits),
    )


def vanilla_sl_round(instance: Instance, cut_layer: int) -> VanillaSlRound:
    """Evaluate vanilla split learning at a cut layer; each client has its best power on all subchannels."""
    costs = cut_costs(instance.with_training(aggregation_ratio=0.0), cut_layer)
    model_bits = instance.model.cut_layers[cut_layer].client_parameter_bits
    power = np.minimum(instance.max_power_w, instance.server.total_uplink_power_w)
    uplink = max_rate_bps(instance.uplink_noise_w_per_hz, instance.bandwidth_hz, power)
    downlink = instance.downlink_rate_bps.sum(axis=1)
    return VanillaSlRound(
        model_download_s=transmission_time_s(model_bits, downlink),
        client_forward_s=costs.client_forward_s,
        uplink_s=transmission_time_s(costs.uplink_bits, uplink),
        server_forward_s=costs.server_forward_s / instance.n_clients,
        server_backward_s=costs.server_backward_s / instance.n_clients,
        downlink_s=transmission_time_s(costs.downlink_bits, downlink),
        client_backward_s=costs.client_backward_s,
        model_upload_s=transmission_time_s(model_bits, uplink),
    )


def fl_round(instance: Instance, schedule: Schedule) -> FlRound:
    """Evaluate federated averaging under the schedule's subchannels and powers; its cut layer plays no part."""
    model = instance.model
    flops = instance.training.batch_size * (model.total_forward_flops + model.total_backward_flops)
    return FlRound(
        training_s=flops / instance.client_flops_per_s,
        upload_s=transmission_time_s(model.total_parameter_bits, uplink_rates_bps(instance, schedule)),
        broadcast_s=_broadcast_s(instance, model.total_parameter_bits),
    )


def round_latencies_s(instance: Instance, schedule: Schedule) -> dict[str, float]:
    """Return the round latency in seconds of every framework, by its name."""
    return {
        "EPSL": round_latency(instance, schedule).round_latency_s,
        "PSL": psl_round(instance, schedule).round_latency_s,
        "SFL": sfl_round(instance, schedule).round_latency_s,
        "vanilla SL": vanilla_sl_round(instance, schedule.cut_layer).round_latency_s,
        "FL": fl_round(instance, schedule).round_latency_s,
    }


def _broadcast_s(instance: Instance, bits: float) -> float:
    return float(transmission_time_s(bits, np.array(broadcast_rate_bps(instance))))
