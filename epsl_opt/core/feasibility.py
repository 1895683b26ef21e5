"""Why an instance has no schedule, in the problem's own words; or one, to show that it has."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.checker import check
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts, client_memory_bits
from epsl_opt.core.schedule import FREE, Schedule
from epsl_opt.core.serving import serving_allocation


def infeasibility(instance: Instance) -> str | None:
    """Return a proof, in words, that no schedule exists, or None if none was found.

    Powers may be as small as one likes, so power limits never forbid a schedule; only missing subchannels and zero
    gains do. Uplink and downlink are each decided exactly, by matching clients to subchannels with a gain; whether one
    allocation can serve both is decided up to a size (see `serving`).
    """
    reasons = [cut_infeasibility(instance, j, cut_costs(instance, j)) for j in range(instance.n_cut_layers)]
    return reasons[instance.first_allowed_cut_layer] if all(reasons) else None


def witness(instance: Instance) -> Schedule | None:
    """Return a schedule that passes the checker, or None if none was found; how quick a round is does not count."""
    for cut_layer in range(instance.n_cut_layers):
        serving = serving_allocation(instance, cut_costs(instance, cut_layer))
        schedule = Schedule(cut_layer, serving.owner, _shared_power_w(instance, serving.owner))
        if serving.complete and not check(instance, schedule):
            return schedule
    return None


def _shared_power_w(instance: Instance, owner: IntArray) -> FloatArray:
    """P_i in equal parts on what each client holds, scaled so that P_th holds, shape (subchannels,)."""
    held = owner[owner != FREE]
    share = instance.max_power_w / np.maximum(np.bincount(held, minlength=instance.n_clients), 1)
    power = np.where(owner == FREE, 0.0, share[owner])
    return power * min(1.0, instance.server.total_uplink_power_w / max(float(power.sum()), np.finfo(float).tiny))


def cut_infeasibility(instance: Instance, cut_layer: int, costs: CutCosts) -> str | None:
    """Return why no schedule exists at a cut layer, which has these costs, or None if no reason was found."""
    return _forbidden(instance, cut_layer) or _unconnected(instance, costs)


def _forbidden(instance: Instance, cut_layer: int) -> str | None:
    """Return which limit of the instance a cut layer breaks."""
    name, needed = instance.model.cut_layers[cut_layer].name, client_memory_bits(instance, cut_layer)
    if cut_layer < instance.first_allowed_cut_layer:
        return f"cut layer {name} is before the first that is allowed, {instance.training.min_cut_layer}"
    for client in instance.clients:
        if client.memory_bits is not None and needed > client.memory_bits:
            return f"{client.name} has {client.memory_bits:.4g} bit of memory, and cut layer {name} takes {needed:.4g}"
    return None


def _unconnected(instance: Instance, costs: CutCosts) -> str | None:
    if not np.isfinite(costs.shared_s):
        return _cut_off(instance)
    needs: list[tuple[str, FloatArray]] = []
    if costs.sends:
        needs.append(("uplink", instance.channel.uplink_gain))
    if costs.downlink_bits > 0:
        needs.append(("downlink", instance.downlink_rate_bps))
    C, M = instance.n_clients, instance.n_subchannels
    if needs and M < C:
        return f"fewer subchannels than clients ({M} < {C}): every client needs at least one of its own"
    missing = [(direction, gain) for direction, gain in needs if not gain.all()]  # else any matching will do
    reason = next((reason for direction, gain in missing if (reason := _unserved(instance, direction, gain))), None)
    if reason is None and missing and serving_allocation(instance, costs).impossible:
        return "too few usable subchannels: no allocation gives every client uplink and downlink gain at once"
    return reason


def _cut_off(instance: Instance) -> str:
    """Say which client hears nothing of what is sent to all, or of its own turn cannot make any use."""
    for direction, gain in (("downlink", instance.downlink_rate_bps), ("uplink", instance.channel.uplink_gain)):
        silent = np.flatnonzero(~gain.any(axis=1))
        if silent.size:
            return f"{instance.clients[silent[0]].name} has no usable subchannel: all its {direction} gains are zero"
    return "a round would take longer than can be written"


def _unserved(instance: Instance, direction: str, gain: FloatArray) -> str | None:
    silent = np.flatnonzero(~gain.any(axis=1))
    if silent.size:
        return f"{instance.clients[silent[0]].name} has no usable subchannel: all its {direction} gains are zero"
    unmatched = np.flatnonzero(maximum_bipartite_matching(csr_array(gain > 0), perm_type="column") < 0)
    if unmatched.size == 0:
        return None
    names = ", ".join(instance.clients[i].name for i in unmatched[:3])
    return (
        f"too few usable subchannels: when the other clients have one with {direction} gain, none is left for {names}"
    )
