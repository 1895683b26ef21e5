"""One round of the frameworks EPSL is compared with, under the same radio and compute (paper, section VII).

Each is a record of its stages with `round_latency_s`; EPSL itself is `latency.round_latency`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance_data import InstanceData
from epsl_opt.core.latency import (
    RoundLatency,
    broadcast_time_s,
    round_latency,
    split_costs,
    split_round,
    transmission_time_s,
    uplink_rates_bps,
)
from epsl_opt.core.schedule import Schedule
from epsl_opt.core.stage_times import EVERYONE, NO_MODELS, RoundStages, StageTimes
from epsl_opt.core.water_filling import max_rate_bps


@dataclass(frozen=True, eq=False)
class SflRound(RoundLatency):
    """SplitFed: a PSL round, then the client-side models are uploaded, averaged and broadcast."""

    @property
    def training(self) -> RoundLatency:
        """The PSL round."""
        return replace(self, model_upload_s=NO_MODELS, model_broadcast_s=0.0)


@dataclass(frozen=True, eq=False)
class VanillaSlRound(RoundStages):
    """Vanilla split learning: one client after another, each alone on all subchannels; arrays have shape (clients,).

    Each client receives the client-side model, trains on its batch and hands the model back. The server's times are
    for one client's batch.
    """

    model_download_s: FloatArray

    @property
    def client_turn_s(self) -> FloatArray:
        """How long each client's turn takes, shape (clients,)."""
        radio = self.model_download_s + self.uplink_s + self.downlink_s + self.model_upload_s
        client = self.client_forward_s + self.client_backward_s
        return radio + client + self.server_forward_s + self.server_backward_s

    @cached_property
    def round_latency_s(self) -> float:
        """All turns, one after another."""
        return float(self.client_turn_s.sum())

    @property
    def stage_times(self) -> StageTimes:
        """The stages of all turns."""
        n_clients = len(self.client_forward_s)
        return replace(
            self.of_clients(EVERYONE, EVERYONE),
            server_forward_s=n_clients * self.server_forward_s,
            server_backward_s=n_clients * self.server_backward_s,
            model_exchange_s=float((self.model_download_s + self.model_upload_s).sum()),
        )


@dataclass(frozen=True, eq=False)
class FlRound(RoundStages):
    """Federated averaging without a split: every client trains the whole network; arrays have shape (clients,).

    `training_s` is forward and backward pass together. No client waits before it has sent its model; the only
    broadcast is that of the average.
    """

    training_s: FloatArray

    @property
    def upload_s(self) -> FloatArray:
        """How long each client sends its model, shape (clients,)."""
        return self.model_upload_s

    @cached_property
    def round_latency_s(self) -> float:
        """Until the slowest client has trained and uploaded, then the broadcast."""
        return float((self.training_s + self.model_upload_s).max()) + self.broadcast_s

    @property
    def stage_times(self) -> StageTimes:
        """The stages of the client that the others wait for."""
        last = int(np.argmax(self.training_s + self.model_upload_s))
        return StageTimes(
            client_forward_s=float(self.client_forward_s[last]),
            client_backward_s=float(self.client_backward_s[last]),
            model_exchange_s=float(self.model_upload_s[last]) + self.broadcast_s,
        )


def psl_round(instance: InstanceData, schedule: Schedule) -> RoundLatency:
    """Evaluate parallel split learning: EPSL that aggregates nothing."""
    return split_round(instance, schedule, 0)


def sfl_round(instance: InstanceData, schedule: Schedule) -> SflRound:
    """Evaluate SplitFed under the schedule's subchannels and powers."""
    bits = instance.model.cut_layers[schedule.cut_layer].client_parameter_bits
    psl = psl_round(instance, schedule)
    models = {
        "model_upload_s": transmission_time_s(bits, psl.uplink_bps),
        "model_broadcast_s": broadcast_time_s(instance, bits),
    }
    return SflRound(**{name: getattr(psl, name) for name in RoundLatency.__dataclass_fields__} | models)


def vanilla_sl_round(instance: InstanceData, cut_layer: int) -> VanillaSlRound:
    """Evaluate vanilla split learning at a cut layer; each client has its best power on all subchannels."""
    costs = split_costs(instance, cut_layer, 0)
    model_bits = instance.model.cut_layers[cut_layer].client_parameter_bits
    power = np.minimum(instance.max_power_w, instance.server.total_uplink_power_w)
    uplink = max_rate_bps(instance.uplink_noise_w_per_hz, instance.bandwidth_hz, power)
    downlink = instance.downlink_rate_bps.sum(axis=1)
    return VanillaSlRound(
        client_forward_s=costs.client_forward_s,
        uplink_s=transmission_time_s(costs.uplink_bits, uplink),
        server_forward_s=costs.server_forward_s / instance.n_clients,
        server_backward_s=costs.server_backward_s / instance.n_clients,
        broadcast_s=0.0,
        downlink_s=transmission_time_s(costs.downlink_bits, downlink),
        client_backward_s=costs.client_backward_s,
        model_upload_s=transmission_time_s(model_bits, uplink),
        model_download_s=transmission_time_s(model_bits, downlink),
    )


def fl_round(instance: InstanceData, schedule: Schedule) -> FlRound:
    """Evaluate federated averaging under the schedule's subchannels and powers; its cut layer plays no part."""
    model, idle = instance.model, np.zeros(instance.n_clients)
    flops = model.total_forward_flops + model.total_backward_flops
    training_s = instance.training.batch_size * flops / instance.client_flops_per_s
    forward = model.total_forward_flops / flops
    return FlRound(
        client_forward_s=training_s * forward,
        uplink_s=idle,
        server_forward_s=0.0,
        server_backward_s=0.0,
        broadcast_s=broadcast_time_s(instance, model.total_parameter_bits),
        downlink_s=idle,
        client_backward_s=training_s * (1 - forward),
        model_upload_s=transmission_time_s(model.total_parameter_bits, uplink_rates_bps(instance, schedule)),
        training_s=training_s,
    )


def centralised_round(instance: InstanceData) -> RoundStages:
    """Evaluate training where only the server computes, on the data that it is taken to have."""
    idle, samples = np.zeros(instance.n_clients), instance.n_clients * instance.training.batch_size
    return RoundStages(
        client_forward_s=idle,
        uplink_s=idle,
        server_forward_s=samples * instance.model.total_forward_flops / instance.server_flops_per_s,
        server_backward_s=samples * instance.model.total_backward_flops / instance.server_flops_per_s,
        broadcast_s=0.0,
        downlink_s=idle,
        client_backward_s=idle,
    )


def framework_round(instance: InstanceData, schedule: Schedule, framework: Framework) -> RoundStages:
    """Evaluate a round of `framework` under the subchannels, powers and cut layer of `schedule`."""
    match framework:
        case Framework.EPSL:
            return round_latency(instance, schedule)
        case Framework.PSL:
            return psl_round(instance, schedule)
        case Framework.SFL | Framework.SFL_V2:
            return sfl_round(instance, schedule)
        case Framework.SL:
            return vanilla_sl_round(instance, schedule.cut_layer)
        case Framework.FL:
            return fl_round(instance, schedule)
        case Framework.CENTRALISED:
            return centralised_round(instance)


def round_latencies_s(instance: InstanceData, schedule: Schedule) -> dict[str, float]:
    """Return the round latency in seconds of every framework, by its name."""
    compared = {"EPSL": Framework.EPSL, "PSL": Framework.PSL, "SFL": Framework.SFL}
    compared |= {"vanilla SL": Framework.SL, "FL": Framework.FL}
    return {name: framework_round(instance, schedule, each).round_latency_s for name, each in compared.items()}


def instance_round(instance: InstanceData, schedule: Schedule) -> RoundStages:
    """Evaluate the round that the instance is about: of its framework, in the mean of those between two averagings.

    This is what solvers minimise. Without `training.framework` it is EPSL's.
    """
    training = instance.training
    stages = framework_round(instance, schedule, training.framework or Framework.EPSL)
    if training.average_every is None:
        return stages
    models = sfl_round(instance, schedule)
    return replace(
        stages,
        model_upload_s=models.model_upload_s / training.average_every,
        model_broadcast_s=models.model_broadcast_s / training.average_every,
    )
