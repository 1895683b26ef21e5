"""Tiny instances: to look at every allocation takes less than to search among them."""

from __future__ import annotations

from epsl_opt.core.instance import Instance
from epsl_opt.core.results import StopReason
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.enumeration import enumerate_cut, n_allocations
from epsl_opt.solvers.primal.allocation import equal_density_power_w, greedy_allocation
from epsl_opt.solvers.primal.cuts import feasible_cuts, promising_cuts
from epsl_opt.solvers.primal.offering import offer_allocation, offer_start

MOST_EVALUATIONS = 50_000
"""Allocations times cut layers; so many take about as long as a search."""


def is_tiny(instance: Instance, n_cuts: int) -> bool:
    """Whether all allocations at so many cut layers may be looked at."""
    return n_cuts * n_allocations(instance) <= MOST_EVALUATIONS


def try_all(instance: Instance, monitor: SolveMonitor) -> StopReason:
    """Offer the best allocation of every cut layer that can win, after the paper's greedy one: a first is owed."""
    cuts = feasible_cuts(instance)
    offer_start(monitor, cuts)
    for cut in promising_cuts(cuts, monitor):
        owner = greedy_allocation(instance, cuts[cut], equal_density_power_w(instance))
        offer_allocation(monitor, cuts[cut], cut, owner)
        if enumerate_cut(monitor, cut, cuts[cut]) is None:
            return StopReason.TIME_LIMIT
    return StopReason.COMPLETED
