"""Latency of allocations with their best powers, many at once."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts, transmission_time_s
from epsl_opt.core.schedule import FREE
from epsl_opt.solvers.primal.power_control import rows_of, sending_s


def allocation_latencies_s(instance: Instance, costs: CutCosts, owners: IntArray) -> FloatArray:
    """Round latency of each allocation with its best powers, in seconds; inf where a client cannot do its traffic.

    Parameters
    ----------
    owners
        Client index of each subchannel, or FREE, shape (allocations, subchannels).
    """
    downlink_bps = _downlink_rates_bps(instance, owners)
    downlink = transmission_time_s(costs.downlink_bits, downlink_bps) + costs.client_backward_s
    uplink = sending_s(rows_of(instance, owners), instance, costs)
    latency: FloatArray = uplink + costs.shared_s + np.max(downlink, axis=1)
    return latency


def _downlink_rates_bps(instance: Instance, owners: IntArray) -> FloatArray:
    """R'_i under each allocation, shape (allocations, clients)."""
    n_allocations, C = len(owners), instance.n_clients
    allocation, subchannel = np.nonzero(owners != FREE)
    owner = owners[allocation, subchannel]
    rate = instance.downlink_rate_bps[owner, subchannel]
    total = np.bincount(owner + C * allocation, rate, minlength=n_allocations * C).astype(np.float64)
    return total.reshape(n_allocations, C)
