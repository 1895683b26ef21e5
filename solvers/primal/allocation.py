"""Subchannel allocation rules: the paper's greedy (Algorithm 2) and the strongest received signal."""

from __future__ import annotations

import math

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.core.schedule import FREE
from epsl_opt.core.serving import served_on, serving_allocation


def equal_density_power_w(instance: Instance) -> FloatArray:
    """Spread P_th evenly over the spectrum: the power on each subchannel in watts, shape (subchannels,)."""
    density = instance.server.total_uplink_power_w / float(instance.bandwidth_hz.sum())
    return density * instance.bandwidth_hz


def equal_power_w(instance: Instance, owner: IntArray) -> FloatArray:
    """Equal power density, scaled down for each client that would break P_i, shape (subchannels,).

    A reconstruction of the paper's non-optimised power: it says only that power is equal.
    """
    power = np.where(owner == FREE, 0.0, equal_density_power_w(instance))
    used = np.bincount(owner[owner != FREE], weights=power[owner != FREE], minlength=instance.n_clients)
    scale = np.minimum(1.0, instance.max_power_w / np.maximum(used, 1e-300))
    return np.where(owner == FREE, 0.0, power * scale[owner])


def greedy_allocation(instance: Instance, costs: CutCosts, power_w: FloatArray) -> IntArray:
    """Allocate by the paper's Algorithm 2 (tie-breaks: a reconstruction); return client indices, shape (subchannels,).

    Every client, weakest computing first, takes its best free subchannel; then, until none is free, the straggler
    takes its best free subchannel. A client whose next subchannel would break P_i leaves the race; when all have
    left, what is free stays free.

    Parameters
    ----------
    power_w
        The power each subchannel is used with, shape (subchannels,); a client's first is capped at P_i.
    """
    race = _Race(instance, costs, power_w)
    order = np.argsort(instance.client_flops_per_s, kind="stable")
    owner = _first_subchannels(instance, costs, race.uplink_bps, order)
    for k in np.flatnonzero(owner != FREE):
        race.give(int(k), int(owner[k]))
    while race.running:
        race.serve_straggler()
    return race.owner


def strongest_signal_allocation(instance: Instance, costs: CutCosts) -> IntArray:
    """Give every client its best subchannel, then each other one to the client received strongest on it.

    A reconstruction of the paper's baseline by received signal strength; shape (subchannels,).
    """
    gain, order = instance.channel.uplink_gain, np.arange(instance.n_clients)
    return filled(instance, _first_subchannels(instance, costs, gain, order))


def filled(instance: Instance, owner: IntArray) -> IntArray:
    """Give what is free to the client received strongest on it: one more subchannel never hurts its holder."""
    return np.where(owner == FREE, instance.channel.uplink_gain.argmax(axis=0), owner)


def usable(instance: Instance, costs: CutCosts) -> BoolArray:
    """Say where a client could do all its traffic on one subchannel, shape (clients, subchannels)."""
    uplink, downlink = served_on(instance, costs)
    return uplink & downlink


def _first_subchannels(instance: Instance, costs: CutCosts, value: FloatArray, order: IntArray) -> IntArray:
    """Give every client, in `order`, its first; where that leaves one unserved, serve all if it can be done."""
    owner = first_choice(value, order, usable(instance, costs))
    return serving_allocation(instance, costs).owner if owner is None else owner


def first_choice(value: FloatArray, order: IntArray, usable: BoolArray) -> IntArray | None:
    """Let every client, in `order`, take the free subchannel it values most; FREE elsewhere, shape (subchannels,).

    None if that leaves a client with none it can use.
    """
    C, M = value.shape
    if C > M:
        return None
    owner = np.full(M, FREE)
    for i in order:
        choice = np.where((owner == FREE) & usable[i], value[i], -np.inf).argmax()
        if owner[choice] != FREE or not usable[i, choice]:
            return None
        owner[choice] = i
    return owner


class _Race:
    """The state of Algorithm 2: rates so far, free subchannels in each client's order of preference.

    Plain lists: a race is many steps on single numbers, where arrays would cost more than they save.
    """

    def __init__(self, instance: Instance, costs: CutCosts, power_w: FloatArray) -> None:
        power = np.minimum(power_w, instance.max_power_w[:, None])
        snr = power / instance.bandwidth_hz / instance.uplink_noise_w_per_hz
        self.uplink_bps = instance.bandwidth_hz * np.log1p(snr) / math.log(2)
        self._owner = [FREE] * instance.n_subchannels
        self._preference = np.argsort(-self.uplink_bps, axis=1, kind="stable").tolist()
        self._rate_bps, self._downlink_bps = self.uplink_bps.tolist(), instance.downlink_rate_bps.tolist()
        self._power_w, self._limit_w = power.tolist(), (instance.max_power_w * (1 + 1e-12)).tolist()
        self._forward_s: list[float] = costs.client_forward_s.tolist()
        self._backward_s: list[float] = costs.client_backward_s.tolist()
        self._uplink_bits, self._downlink_bits = costs.uplink_bits + costs.exchange_bits, costs.downlink_bits
        self._next = [0] * instance.n_clients
        self._uplink, self._downlink, self._used_w = ([0.0] * instance.n_clients for _ in range(3))
        self._free, self._running = instance.n_subchannels, instance.n_clients
        self._latency = [math.inf] * instance.n_clients

    @property
    def owner(self) -> IntArray:
        """Who holds each subchannel, or FREE, shape (subchannels,)."""
        return np.array(self._owner)

    @property
    def running(self) -> bool:
        """Whether a subchannel is free and somebody may take it."""
        return self._free > 0 and self._running > 0

    def give(self, k: int, i: int) -> None:
        """Give subchannel k to client i."""
        self._owner[k] = i
        self._free -= 1
        self._uplink[i] += self._rate_bps[i][k]
        self._downlink[i] += self._downlink_bps[i][k]
        self._used_w[i] += self._power_w[i][k]
        self._latency[i] = self._own_latency_s(i)

    def serve_straggler(self) -> None:
        """Give the client with the longest latency its best free subchannel, or let it leave the race."""
        i = self._latency.index(max(self._latency))
        k = self._best_free(i)
        if self._used_w[i] + self._power_w[i][k] > self._limit_w[i]:
            self._latency[i] = -math.inf
            self._running -= 1
        else:
            self.give(k, i)

    def _best_free(self, i: int) -> int:
        preference, place = self._preference[i], self._next[i]
        while self._owner[preference[place]] != FREE:
            place += 1
        self._next[i] = place
        return int(preference[place])

    def _own_latency_s(self, i: int) -> float:
        uplink = _time_s(self._uplink_bits, self._uplink[i])
        return self._forward_s[i] + uplink + _time_s(self._downlink_bits, self._downlink[i]) + self._backward_s[i]


def _time_s(bits: float, rate_bps: float) -> float:
    """`latency.transmission_time_s` of one number."""
    if bits == 0:
        return 0.0
    return bits / rate_bps if rate_bps > 0 else math.inf
