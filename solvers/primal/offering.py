"""Offering an allocation to be judged, with the best powers for it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from numpy.typing import ArrayLike

from epsl_opt.core.arrays import IntArray
from epsl_opt.core.latency import CutCosts
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.primal.allocation import filled
from epsl_opt.solvers.primal.cuts import promising_cuts
from epsl_opt.solvers.primal.power_control import best_schedule


def offer_allocation(monitor: SolveMonitor, costs: CutCosts, cut_layer: int, owner: ArrayLike) -> float:
    """Offer the schedule with the best powers for an allocation, unless a client that must send or receive cannot.

    Parameters
    ----------
    monitor, costs, cut_layer
        Who judges, and `framework_costs.cut_costs` of the monitor's instance at that cut layer.
    owner
        Client index of each subchannel, or FREE, shape (subchannels,).

    Returns
    -------
    float
        The latency in seconds as judged; inf if nothing was offered.
    """
    schedule = best_schedule(monitor.instance, costs, cut_layer, owner)
    return math.inf if schedule is None else monitor.offer(schedule)


def offer_start(monitor: SolveMonitor, cuts: Mapping[int, CutCosts]) -> IntArray | None:
    """Offer the schedule to start from as it is, then its allocation with the best powers at every cut layer.

    Returns
    -------
    IntArray or None
        That allocation, what it leaves free filled in, shape (subchannels,); None if there is no start that fits.
    """
    start = monitor.take_start()
    if start is None:
        return None
    owner = filled(monitor.instance, start.subchannel_client)
    for cut in promising_cuts(cuts, monitor):
        if monitor.out_of_time:
            break
        offer_allocation(monitor, cuts[cut], cut, owner)
    return owner
