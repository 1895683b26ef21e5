"""Every allocation of a tiny instance, with its best powers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from epsl_opt.core.arrays import IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.dual.certainty import latency_bound_s
from epsl_opt.solvers.primal.evaluation import allocation_latencies_s
from epsl_opt.solvers.primal.offering import offer_allocation

BATCH = 4096
NO_ALLOCATION = "no allocation gives every client the rates it needs"


def enumerate_cut(monitor: SolveMonitor, cut: int, costs: CutCosts) -> float | None:
    """Offer every allocation of a cut layer that beats the incumbent.

    Returns
    -------
    float or None
        A lower bound in seconds on the cut layer, inf if no allocation serves every client; None if time ran out.
    """
    instance, least_s = monitor.instance, math.inf
    for owners in allocations(instance.n_clients, instance.n_subchannels):
        if monitor.out_of_time:
            return None
        latency = allocation_latencies_s(instance, costs, owners)
        best = int(latency.argmin())  # of one that is NaN, if there is any: then nothing is proved
        least_s = min(least_s, latency_bound_s(float(latency[best])))
        if latency[best] < monitor.latency_s:
            offer_allocation(monitor, costs, cut, owners[best])
    return least_s


def n_allocations(instance: Instance) -> float:
    """Return how many ways there are to give every subchannel to a client; inf beyond the range of numbers."""
    try:
        return float(instance.n_clients) ** instance.n_subchannels
    except OverflowError:
        return math.inf


def allocations(n_clients: int, n_subchannels: int) -> Iterator[IntArray]:
    """Yield all ways to give every subchannel to a client, in batches of shape (up to BATCH, subchannels)."""
    weight = n_clients ** np.arange(n_subchannels)
    total = n_clients**n_subchannels
    for start in range(0, total, BATCH):
        yield np.arange(start, min(start + BATCH, total))[:, None] // weight % n_clients
