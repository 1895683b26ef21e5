"""The numbers that latencies can be computed with, and what of an instance lies beyond them.

A double ends at 1.8e308. Where a time or a rate comes near, sums overflow and squares vanish, and "takes longer than
can be written" would look like "has no schedule". So such instances are refused when they are made.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance_data import InstanceData
from epsl_opt.core.latency import transmission_time_s

LEAST, MOST = 1e-100, 1e100
"""Rates, speeds and noise lie between them, and times below `MOST` seconds; nothing real comes near."""


def out_of_range(instance: InstanceData) -> str | None:
    """Return the first quantity that lies beyond, as `field: problem`, or None if all can be computed with."""
    with np.errstate(over="ignore"):
        for field, what, value in _magnitudes(instance):
            wrong = ~((value >= LEAST) & (value <= MOST))
            if wrong.any():
                entry = _entry(wrong)
                return f"{field}{entry}: {what} would be {_first(value, wrong):.3g}, beyond {LEAST:g} to {MOST:g}"
        for field, what, value in _durations(instance):
            wrong = ~(value <= MOST)
            if wrong.any():
                return f"{field}: {what} would take {_first(value, wrong):.3g} s, longer than {MOST:g} s"
    return None


def _magnitudes(instance: InstanceData) -> Iterator[tuple[str, str, FloatArray]]:
    """Everything that must be positive and moderate, with the field to blame; what has no gain counts as moderate."""
    heard, told = instance.channel.uplink_gain > 0, instance.channel.downlink_gain > 0
    yield "clients", "the speed in FLOP/s", instance.client_flops_per_s
    yield "server", "the speed in FLOP/s", np.array(instance.server_flops_per_s)
    noise = "the noise over the gain in W/Hz"
    yield "channel.uplink_gain", noise, np.where(heard, instance.uplink_noise_w_per_hz, 1.0)
    uplink = "the uplink rate in bit/s on this subchannel alone"
    for power in (instance.max_power_w, instance.fair_power_w):
        yield "channel.uplink_gain", uplink, np.where(heard, instance.alone_bps(power), 1.0)
    downlink = "the downlink rate in bit/s on this subchannel"
    yield "channel.downlink_gain", downlink, np.where(told, instance.downlink_rate_bps, 1.0)


def _durations(instance: InstanceData) -> Iterator[tuple[str, str, FloatArray]]:
    """Every stage at every cut layer, traffic at the least rate that a client can be sure of."""
    silent = not instance.downlink_rate_bps.any(axis=1).all()
    for j in range(instance.n_cut_layers):
        costs, cut = cut_costs(instance, j), f"model.cut_layers[{j}]"
        yield f"{cut}.client_forward_flops", "the forward pass of a client", costs.client_forward_s
        yield f"{cut}.client_backward_flops", "the backward pass of a client", costs.client_backward_s
        yield "model.total_forward_flops", "the forward pass of the server", np.array(costs.server_forward_s)
        yield "model.total_backward_flops", "the backward pass of the server", np.array(costs.server_backward_s)
        yield f"{cut}.activation_bits", "the uplink", _longest_s(costs.uplink_bits, instance.slowest_uplink_bps)
        yield f"{cut}.gradient_bits", "the downlink", _longest_s(costs.downlink_bits, instance.slowest_downlink_bps)
        models = _longest_s(costs.exchange_bits, instance.slowest_uplink_bps)
        yield f"{cut}.client_parameter_bits", "the exchange of models", models
        if not silent:
            yield f"{cut}.gradient_bits", "the broadcast", np.array(costs.broadcast_s)
            yield f"{cut}.client_parameter_bits", "the broadcast of models", np.array(costs.exchange_broadcast_s)


def _longest_s(bits: float, rate_bps: float) -> FloatArray:
    return transmission_time_s(bits, np.array(rate_bps))


def _entry(wrong: np.ndarray) -> str:
    return "".join(f"[{i}]" for i in np.argwhere(wrong)[0])


def _first(value: FloatArray, wrong: np.ndarray) -> float:
    return float(value[wrong][0])
