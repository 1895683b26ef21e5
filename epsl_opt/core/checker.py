"""The independent judge of schedules: it shares nothing with the solvers but what a round takes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import client_memory_bits
from epsl_opt.core.schedule import FREE, Schedule

RELATIVE_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Violation:
    """One broken constraint: which, of whom, by how much, against what tolerance (both in `unit`)."""

    constraint: str
    entity: str
    amount: float
    unit: str
    tolerance: float

    def __str__(self) -> str:
        size = f"{self.amount:.6g} {self.unit}".strip()
        return f"{self.constraint}: {self.entity}: off by {size} (tolerance {self.tolerance:.3g})"


def check(instance: Instance, schedule: Schedule) -> list[Violation]:
    """Return every constraint of the problem that `schedule` breaks; an empty list means it is feasible.

    Checked: shapes and indices, the first cut layer that is allowed, each client's memory, finite non-negative powers,
    no power on a free subchannel, each client's power limit, the total power limit, and that every client that must
    send or receive has a rate. That a subchannel has at most one client holds by construction.
    """
    violations = list(_shape_violations(instance, schedule))
    if not violations:
        violations += _cut_violations(instance, schedule)
        violations += _power_violations(instance, schedule)
        violations += _rate_violations(instance, schedule)
    return violations


def check_claim(claim: str, claimed: float, recomputed: float, unit: str = "s") -> list[Violation]:
    """Compare a number somebody claims with its recomputed value, to `RELATIVE_TOLERANCE`."""
    tolerance = RELATIVE_TOLERANCE * max(abs(claimed), abs(recomputed))
    if claimed == recomputed or (math.isfinite(tolerance) and abs(claimed - recomputed) <= tolerance):
        return []
    return [Violation("claim equals recomputation", claim, claimed - recomputed, unit, tolerance)]


def check_bound(bound_s: float, latency_s: float) -> list[Violation]:
    """A dual bound above the latency of a feasible schedule is no bound."""
    tolerance = RELATIVE_TOLERANCE * latency_s
    if math.isfinite(bound_s) and bound_s <= latency_s + tolerance:
        return []
    return [Violation("dual bound at most a feasible latency", "bound_s", bound_s - latency_s, "s", tolerance)]


def _shape_violations(instance: Instance, schedule: Schedule) -> Iterator[Violation]:
    J, C, M = instance.n_cut_layers, instance.n_clients, instance.n_subchannels
    if not 0 <= schedule.cut_layer < J:
        yield Violation("cut layer exists", f"cut_layer {schedule.cut_layer} of {J}", schedule.cut_layer, "", 0)
    for field in ("subchannel_client", "subchannel_power_w"):
        found = len(getattr(schedule, field))
        if found != M:
            yield Violation("one entry per subchannel", f"{field} has {found} of {M}", found - M, "entries", 0)
    for k in np.flatnonzero((schedule.subchannel_client < FREE) | (schedule.subchannel_client >= C)):
        owner = int(schedule.subchannel_client[k])
        yield Violation("client exists", f"subchannel {k} belongs to client {owner} of {C}", owner, "", 0)
    for k in np.flatnonzero(~np.isfinite(schedule.subchannel_power_w)):
        power = float(schedule.subchannel_power_w[k])
        yield Violation("power is finite", f"subchannel {k}", power, "W", 0)


def _cut_violations(instance: Instance, schedule: Schedule) -> Iterator[Violation]:
    cut, first = schedule.cut_layer, instance.first_allowed_cut_layer
    if cut < first:
        yield Violation("cut layer is allowed", f"cut_layer {cut}, the first is {first}", first - cut, "layers", 0)
    needed = client_memory_bits(instance, cut)
    for client in instance.clients:
        if client.memory_bits is not None and needed > client.memory_bits:
            yield Violation("client memory", client.name, needed - client.memory_bits, "bit", 0)


def _power_violations(instance: Instance, schedule: Schedule) -> Iterator[Violation]:
    power, owner = schedule.subchannel_power_w, schedule.subchannel_client
    for k in np.flatnonzero(power < 0):
        yield Violation("power is not negative", f"subchannel {k}", float(-power[k]), "W", 0)
    for k in np.flatnonzero((owner == FREE) & (power > 0)):
        yield Violation("no power on a free subchannel", f"subchannel {k}", float(power[k]), "W", 0)
    owned = owner != FREE
    used = np.bincount(owner[owned], weights=power[owned], minlength=instance.n_clients)
    with np.errstate(over="ignore"):  # then it is too much anyway
        total = float(power.sum())
    limit = instance.max_power_w
    for i in np.flatnonzero(used > limit * (1 + RELATIVE_TOLERANCE)):
        excess, tolerance = float(used[i] - limit[i]), float(limit[i]) * RELATIVE_TOLERANCE
        yield Violation("client power limit P_i", instance.clients[i].name, excess, "W", tolerance)
    total_limit = instance.server.total_uplink_power_w
    excess, tolerance = total - total_limit, total_limit * RELATIVE_TOLERANCE
    if excess > tolerance:
        yield Violation("total power limit P_th", "all clients", excess, "W", tolerance)


def _rate_violations(instance: Instance, schedule: Schedule) -> Iterator[Violation]:
    latency = instance_round(instance, schedule)
    sent_s = latency.uplink_s + latency.model_upload_s
    for stage, bits_wait in (("uplink", sent_s), ("downlink", latency.downlink_s)):
        for i in np.flatnonzero(~np.isfinite(bits_wait)):
            yield Violation(f"{stage} rate is positive", instance.clients[i].name, float(bits_wait[i]), "s", 0)
    broadcast_s = latency.broadcast_s + latency.model_broadcast_s
    if not math.isfinite(broadcast_s):
        yield Violation("broadcast rate is positive", "slowest client", broadcast_s, "s", 0)
