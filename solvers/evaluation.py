"""Latency of allocations with their best powers, many at once."""

from __future__ import annotations

import numpy as np

from epsl_opt.arrays import FloatArray, IntArray
from epsl_opt.instance import Instance
from epsl_opt.latency import CutCosts, transmission_time_s
from epsl_opt.solvers.power_control import rows_of, uplink_phase_s


def allocation_latencies_s(instance: Instance, costs: CutCosts, owners: IntArray) -> FloatArray:
    """Round latency of each allocation with its best powers, in seconds; inf where a client cannot do its traffic.

    Parameters
    ----------
    owners
        Client index of each subchannel, or FREE, shape (allocations, subchannels).
    """
    member = owners[:, None, :] == np.arange(instance.n_clients)[:, None]
    downlink_bps = (member * instance.downlink_rate_bps).sum(axis=2)
    downlink = transmission_time_s(costs.downlink_bits, downlink_bps) + costs.client_backward_s
    uplink = uplink_phase_s(rows_of(instance, owners), instance, costs)
    return uplink + costs.shared_s + np.max(downlink, axis=1)
