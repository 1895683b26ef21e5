"""The system model once more, in loops over scalars: an oracle that shares no code with `epsl_opt.core.latency`."""

from __future__ import annotations

import math
from decimal import Decimal

from epsl_opt import Instance, Schedule


def uplink_bps(instance: Instance, schedule: Schedule, i: int) -> float:
    """R_i = sum_k r_ik B_k log2(1 + p_k G^UL_ik / (sigma^2 B_k))."""
    rate = 0.0
    for k in range(instance.n_subchannels):
        if schedule.subchannel_client[k] == i:
            width = float(instance.subchannels.bandwidth_hz[k])
            gain = float(instance.channel.uplink_gain[i][k])
            snr = float(schedule.subchannel_power_w[k]) * gain / (instance.channel.noise_psd_w_per_hz * width)
            rate += width * math.log1p(snr) / math.log(2)
    return rate


def subchannel_downlink_bps(instance: Instance, i: int, k: int) -> float:
    """B_k log2(1 + p_DL G^DL_ik / sigma^2)."""
    gain = float(instance.channel.downlink_gain[i][k])
    snr = instance.server.downlink_psd_w_per_hz * gain / instance.channel.noise_psd_w_per_hz
    return float(instance.subchannels.bandwidth_hz[k]) * math.log1p(snr) / math.log(2)


def downlink_bps(instance: Instance, schedule: Schedule, i: int) -> float:
    """R'_i, over the subchannels that client i holds."""
    held = [k for k in range(instance.n_subchannels) if schedule.subchannel_client[k] == i]
    return sum(subchannel_downlink_bps(instance, i, k) for k in held)


def broadcast_bps(instance: Instance) -> float:
    """R_bc: every subchannel, the slowest client."""
    subchannels = range(instance.n_subchannels)
    return min(sum(subchannel_downlink_bps(instance, i, k) for k in subchannels) for i in range(instance.n_clients))


def aggregated_samples(instance: Instance) -> int:
    """m = ceil(phi b), by decimal arithmetic."""
    exact = Decimal(str(instance.training.aggregation_ratio)) * instance.training.batch_size
    return int(exact.to_integral_value(rounding="ROUND_CEILING"))


def round_latency_s(instance: Instance, schedule: Schedule) -> float:
    """T(r, p, j), stage by stage."""
    model, server = instance.model, instance.server
    cut = model.cut_layers[schedule.cut_layer]
    b, C = instance.training.batch_size, instance.n_clients
    m = aggregated_samples(instance)
    uploads, downloads = [], []
    for i, client in enumerate(instance.clients):
        s_per_flop = client.cycles_per_flop / client.cycles_per_s
        t1 = b * s_per_flop * cut.client_forward_flops
        t2 = b * cut.activation_bits / uplink_bps(instance, schedule, i)
        own = (b - m) * cut.gradient_bits
        t6 = own / downlink_bps(instance, schedule, i) if own > 0 else 0.0
        t7 = b * s_per_flop * cut.client_backward_flops
        uploads.append(t1 + t2)
        downloads.append(t6 + t7)
    server_s_per_flop = server.cycles_per_flop / server.cycles_per_s
    t3 = C * b * server_s_per_flop * (model.total_forward_flops - cut.client_forward_flops)
    last = model.last_layer_backward_flops
    hidden = model.total_backward_flops - cut.client_backward_flops - last
    t4 = server_s_per_flop * ((m + C * (b - m)) * hidden + C * b * last)
    t5 = m * cut.gradient_bits / broadcast_bps(instance)
    return max(uploads) + t3 + t4 + t5 + max(downloads)
