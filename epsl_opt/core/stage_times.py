"""The clock of simulated time: how long a round of each framework takes, stage by stage."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import SflRound, VanillaSlRound, fl_round, psl_round, sfl_round, vanilla_sl_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import RoundLatency, round_latency
from epsl_opt.core.schedule import Schedule


@dataclass(frozen=True)
class StageTimes:
    """Where the time of a round goes, in seconds; the fields add up to the round latency.

    Of stages that clients run side by side, it is the time of the client that the others wait for; of clients that
    take turns, the sum. `model_exchange_s` is the time to send client-side or whole models.
    """

    client_forward_s: float = 0.0
    uplink_s: float = 0.0
    server_forward_s: float = 0.0
    server_backward_s: float = 0.0
    broadcast_s: float = 0.0
    downlink_s: float = 0.0
    client_backward_s: float = 0.0
    model_exchange_s: float = 0.0

    @property
    def round_latency_s(self) -> float:
        """The time of the whole round."""
        return float(sum(astuple(self)))


def stage_times(instance: Instance, schedule: Schedule, framework: Framework) -> StageTimes:
    """Evaluate a round of `framework` under the subchannels, powers and cut layer of `schedule`."""
    match framework:
        case Framework.EPSL:
            return _parallel(round_latency(instance, schedule))
        case Framework.PSL:
            return _parallel(psl_round(instance, schedule))
        case Framework.SFL | Framework.SFL_V2:
            return _split_fed(sfl_round(instance, schedule))
        case Framework.SL:
            return _in_turn(vanilla_sl_round(instance, schedule.cut_layer), instance.n_clients)
        case Framework.FL:
            return _federated(instance, schedule)
        case Framework.CENTRALISED:
            return _centralised(instance)


def _parallel(latency: RoundLatency, model_exchange_s: float = 0.0) -> StageTimes:
    up = int(np.argmax(latency.client_forward_s + latency.uplink_s))
    down = int(np.argmax(latency.downlink_s + latency.client_backward_s))
    return StageTimes(
        client_forward_s=float(latency.client_forward_s[up]),
        uplink_s=float(latency.uplink_s[up]),
        server_forward_s=latency.server_forward_s,
        server_backward_s=latency.server_backward_s,
        broadcast_s=latency.broadcast_s,
        downlink_s=float(latency.downlink_s[down]),
        client_backward_s=float(latency.client_backward_s[down]),
        model_exchange_s=model_exchange_s,
    )


def _split_fed(found: SflRound) -> StageTimes:
    return _parallel(found.training, float(found.model_upload_s.max()) + found.model_broadcast_s)


def _in_turn(found: VanillaSlRound, n_clients: int) -> StageTimes:
    return StageTimes(
        client_forward_s=float(found.client_forward_s.sum()),
        uplink_s=float(found.uplink_s.sum()),
        server_forward_s=n_clients * found.server_forward_s,
        server_backward_s=n_clients * found.server_backward_s,
        downlink_s=float(found.downlink_s.sum()),
        client_backward_s=float(found.client_backward_s.sum()),
        model_exchange_s=float((found.model_download_s + found.model_upload_s).sum()),
    )


def _federated(instance: Instance, schedule: Schedule) -> StageTimes:
    found, model = fl_round(instance, schedule), instance.model
    last = int(np.argmax(found.training_s + found.upload_s))
    forward = model.total_forward_flops / (model.total_forward_flops + model.total_backward_flops)
    return StageTimes(
        client_forward_s=float(found.training_s[last]) * forward,
        client_backward_s=float(found.training_s[last]) * (1 - forward),
        model_exchange_s=float(found.upload_s[last]) + found.broadcast_s,
    )


def _centralised(instance: Instance) -> StageTimes:
    """Only the server computes, on the data that it is taken to have."""
    samples = instance.n_clients * instance.training.batch_size
    return StageTimes(
        server_forward_s=samples * instance.model.total_forward_flops / instance.server_flops_per_s,
        server_backward_s=samples * instance.model.total_backward_flops / instance.server_flops_per_s,
    )
