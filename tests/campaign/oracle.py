"""The optimum of a tiny instance by enumeration in long double, written apart from solvers and `latency.py`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from epsl_opt.core.instance import CutLayer, Instance

Long = np.longdouble
LongArray = NDArray[np.longdouble]
BISECTIONS = 200


def best_latency_s(instance: Instance) -> float:
    """Return the least round latency of all allocations, cut layers and powers, in seconds; inf if none is finite.

    Its relative error is about the rounding of the result to double.
    """
    radio = _Radio.of(instance)
    owners = _all_allocations(instance.n_clients, instance.n_subchannels)
    best = Long(np.inf)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        for j in _allowed_cuts(instance):
            best = min(best, _best_at(instance, radio, j, owners, best))
    return float(best) if best < Long(np.finfo(np.float64).max) else math.inf


@dataclass(frozen=True, eq=False)
class _Radio:
    """Uplink noise over gain and downlink rate in nat/s, shape (clients, subchannels); widths and power limits."""

    noise: LongArray
    downlink: LongArray
    bandwidth: LongArray
    own_power: LongArray
    total_power: np.longdouble

    @classmethod
    def of(cls, instance: Instance) -> _Radio:
        sigma2, bandwidth = Long(instance.channel.noise_psd_w_per_hz), instance.bandwidth_hz.astype(Long)
        gain = instance.channel.uplink_gain.astype(Long)
        snr = Long(instance.server.downlink_psd_w_per_hz) * instance.channel.downlink_gain.astype(Long) / sigma2
        total = Long(instance.server.total_uplink_power_w)
        return cls(
            noise=np.divide(sigma2, gain, out=np.full_like(gain, np.inf), where=gain > 0),
            downlink=bandwidth * np.log1p(snr),
            bandwidth=bandwidth,
            own_power=np.minimum(instance.max_power_w.astype(Long), total),
            total_power=total,
        )


def _all_allocations(n_clients: int, n_subchannels: int) -> NDArray[np.intp]:
    """All ways to give every subchannel away, shape (allocations, subchannels), in a fixed random order."""
    every = np.indices((n_clients,) * n_subchannels).reshape(n_subchannels, -1).T
    return np.random.default_rng(0).permutation(every)


def _allowed_cuts(instance: Instance) -> list[int]:
    """Cut layers that neither `min_cut_layer` nor a client's memory forbids."""
    cuts = instance.model.cut_layers
    names = [cut.name for cut in cuts]
    first = names.index(instance.training.min_cut_layer) if instance.training.min_cut_layer else 0
    limits = [client.memory_bits for client in instance.clients if client.memory_bits is not None]
    return [j for j in range(first, len(cuts)) if all(_memory_bits(instance, j) <= limit for limit in limits)]


def _memory_bits(instance: Instance, j: int) -> float:
    cuts = instance.model.cut_layers
    stored = cuts[j].stored_activation_bits
    activations = sum(cut.activation_bits for cut in cuts[: j + 1]) if stored is None else stored
    return 2 * cuts[j].client_parameter_bits + instance.training.batch_size * activations


def _best_at(instance: Instance, radio: _Radio, j: int, owners: NDArray[np.intp], best: np.longdouble) -> np.longdouble:
    """The least latency at cut layer `j`, or `best` if that is less.

    An allocation is bisected only if it can beat the best so far, which one evaluation tells for all of them at once;
    in random order that happens about log(allocations) times.
    """
    cut, b, m = instance.model.cut_layers[j], instance.training.batch_size, _aggregated(instance)
    ready = _compute_s(instance, cut.client_forward_flops)
    backward = _compute_s(instance, cut.client_backward_flops)
    shared = _shared_s(instance, radio, cut, m)
    down = _downlink_s(radio, owners, Long(b - m) * Long(cut.gradient_bits)) + backward
    fixed = ready.max() + shared + down.max(axis=1)
    nats = Long(b) * Long(cut.activation_bits) * np.log(Long(2))
    if nats == 0:
        return np.minimum(best, fixed.min())
    sending = _held(np.isfinite(radio.noise), owners).any(axis=2).all(axis=1)
    keep = sending & np.isfinite(fixed)
    owners, fixed, lag = owners[keep], fixed[keep], ready.max() - ready
    while len(owners):
        room = best * (1 - Long(1e-16)) - fixed
        able = (room > 0) & _fits(radio, owners, nats / (room[:, None] + lag))
        owners, fixed = owners[able], fixed[able]
        if len(owners):
            best = min(best, fixed[0] + _bisected(radio, owners[:1], nats, lag, fixed[0]))
            owners, fixed = owners[1:], fixed[1:]
    return best


def _compute_s(instance: Instance, flops: float) -> LongArray:
    """Each client's time for `flops` on each of its samples, shape (clients,)."""
    speed = [Long(client.cycles_per_s) / Long(client.cycles_per_flop) for client in instance.clients]
    return Long(instance.training.batch_size) * Long(flops) / np.array(speed)


def _aggregated(instance: Instance) -> int:
    exact = Decimal(str(instance.training.aggregation_ratio)) * instance.training.batch_size
    return int(exact.to_integral_value(rounding="ROUND_CEILING"))


def _shared_s(instance: Instance, radio: _Radio, cut: CutLayer, m: int) -> np.longdouble:
    """t3 + t4 + t5."""
    model, server, C, b = instance.model, instance.server, instance.n_clients, instance.training.batch_size
    s_per_flop = Long(server.cycles_per_flop) / Long(server.cycles_per_s)
    forward = C * b * (Long(model.total_forward_flops) - Long(cut.client_forward_flops))
    last = Long(model.last_layer_backward_flops)
    hidden = max(Long(model.total_backward_flops) - Long(cut.client_backward_flops) - last, Long(0))
    backward = (m + C * (b - m)) * hidden + C * b * last
    bits = Long(m) * Long(cut.gradient_bits)
    broadcast = bits * np.log(Long(2)) / radio.downlink.sum(axis=1).min() if bits > 0 else Long(0)
    return Long((forward + backward) * s_per_flop + broadcast)


def _held(table: NDArray[np.bool_], owners: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Where a client holds a subchannel for which `table` says yes, shape (allocations, clients, subchannels)."""
    held: NDArray[np.bool_] = (owners[:, None, :] == np.arange(len(table))[:, None]) & table
    return held


def _downlink_s(radio: _Radio, owners: NDArray[np.intp], bits: np.longdouble) -> LongArray:
    """t6 of every client, shape (allocations, clients)."""
    if bits == 0:
        return np.zeros((len(owners), len(radio.downlink)), dtype=Long)
    held = _held(radio.downlink > 0, owners)
    rate: LongArray = np.where(held, radio.downlink, Long(0)).sum(axis=2)
    return bits * np.log(Long(2)) / rate


def _fits(radio: _Radio, owners: NDArray[np.intp], rate: LongArray) -> NDArray[np.bool_]:
    """Whether powers within all limits carry these rates in nat/s, shape (allocations, clients)."""
    power = _least_power_w(radio, owners, rate)
    fits: NDArray[np.bool_] = (power <= radio.own_power).all(axis=1) & (power.sum(axis=1) <= radio.total_power)
    return fits


def _least_power_w(radio: _Radio, owners: NDArray[np.intp], rate: LongArray) -> LongArray:
    """Water-filling: the least power of every client for its rate, shape (allocations, clients).

    With the q best subchannels in use the logarithm of the level over the best noise is (rate + sum B y) / sum B, where
    y = ln(n / n_best); of all q that use only subchannels below their level, the largest is right.
    """
    noise = np.where(_held(np.isfinite(radio.noise), owners), radio.noise, Long(np.inf))
    order = np.argsort(noise, axis=2)
    noise = np.take_along_axis(noise, order, axis=2)
    bandwidth = np.where(np.isfinite(noise), radio.bandwidth[order], Long(0))
    excess = np.where(np.isfinite(noise), (noise - noise[..., :1]) / noise[..., :1], Long(np.inf))
    log_excess = np.log1p(excess)
    weighted = np.where(bandwidth > 0, bandwidth * log_excess, Long(0))
    level = (rate[..., None] + weighted.cumsum(axis=2)) / bandwidth.cumsum(axis=2)
    used = np.maximum((level > log_excess).sum(axis=2), 1)
    chosen = np.take_along_axis(level, used[..., None] - 1, axis=2)
    height = np.where(np.arange(noise.shape[2]) < used[..., None], np.expm1(chosen) - excess, Long(0))
    return np.asarray((noise[..., :1] * bandwidth * np.maximum(height, Long(0))).sum(axis=2, where=bandwidth > 0))


def _bisected(
    radio: _Radio, owner: NDArray[np.intp], nats: np.longdouble, lag: LongArray, fixed: np.longdouble
) -> np.longdouble:
    """The least time from the last client's readiness to the end of the uplink phase, of one allocation."""
    low, high = Long(2) ** -6000, Long(2) ** 6000
    for _ in range(BISECTIONS):
        if high - low <= Long(1e-20) * (fixed + low):
            break
        middle = np.sqrt(low * high)
        if _fits(radio, owner, nats / (middle + lag)[None, :])[0]:
            high = middle
        else:
            low = middle
    return Long(high)
