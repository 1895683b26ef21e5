"""Where the search starts: a schedule given, the paper's greedy allocation of every cut layer, a rounded relaxation."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import BoolArray, IntArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.states import States, evaluate
from epsl_opt.solvers.primal.allocation import equal_density_power_w, filled, greedy_allocation
from epsl_opt.solvers.primal.cuts import promising_cuts
from epsl_opt.solvers.primal.offering import offer_allocation, offer_start
from epsl_opt.solvers.primal.rounding import round_allocation

ACCURACY = 1e-2
"""How far the relaxation is solved before it is rounded (relative gap)."""

LARGEST_RELAXATION = 50_000
"""Instances with more (client, subchannel) pairs than this start from greedy allocations alone."""

HURRIED_S = 1.0
"""With less time than this, descending at once from a greedy allocation gets further than a relaxation."""

HOPELESS = 1.25
"""A cut layer at which the best start is so much slower than the best of all is not searched, unless its relaxation is
known to leave room: then it is the start that is bad."""


def starts(instance: Instance, problem: SearchProblem, monitor: SolveMonitor) -> States:
    """Offer the first schedule of every cut layer; return the best start of each cut layer that has hope.

    The returned states are in ascending order of latency; there is none if no start serves every client.
    """
    cuts = {cut: cut_costs(instance, cut) for cut in problem.cut_layer.tolist()}
    given = offer_start(monitor, cuts)
    owners = [] if given is None else [given]
    hurried = monitor.limits.time_s < HURRIED_S
    for cut in promising_cuts(cuts, monitor) if hurried else cuts:
        if owners and monitor.out_of_time:  # without any, one schedule is owed
            break
        owners.append(_greedy(instance, monitor, cut, cuts[cut]))
    roomy: set[int] = set()
    if problem.noise.size <= LARGEST_RELAXATION and not hurried and not monitor.out_of_time:
        rounded, roomy = _rounded_relaxations(instance, monitor)
        owners += rounded
    return _best_of_each_cut(problem, np.array(owners), np.isin(problem.cut_layer, list(roomy)))


def _greedy(instance: Instance, monitor: SolveMonitor, cut: int, costs: CutCosts) -> IntArray:
    owner = greedy_allocation(instance, costs, equal_density_power_w(instance))
    offer_allocation(monitor, costs, cut, owner)
    return filled(instance, owner)


def _rounded_relaxations(instance: Instance, monitor: SolveMonitor) -> tuple[list[IntArray], set[int]]:
    """Round the relaxation of every cut layer that can beat what is known, and offer the schedules.

    Returns the allocations, and the cut layers whose relaxations could still beat the best schedule.
    """
    bounds = CutBounds(instance)
    owners: list[IntArray] = []
    while not monitor.out_of_time and (cut := bounds.next_cut(monitor.latency_s)) is not None:
        relaxed = bounds.refine(cut, cutoff_s=monitor.latency_s, rel_gap=ACCURACY, stop=monitor.is_out_of_time)
        costs = bounds.problem[cut].costs
        owners.append(round_allocation(instance, costs, relaxed.allocation[0], stop=monitor.is_out_of_time))
        offer_allocation(monitor, costs, cut, owners[-1])
    return owners, set(bounds.open_cuts(monitor.latency_s)) & set(bounds.solution)


def _best_of_each_cut(problem: SearchProblem, owners: IntArray, roomy: BoolArray) -> States:
    cuts = np.arange(problem.n_cuts)
    states = evaluate(problem, np.tile(owners, (len(cuts), 1)), np.repeat(cuts, len(owners)))
    latency = states.latency_s.reshape(len(cuts), len(owners))
    best = latency.argmin(axis=1) + len(owners) * cuts
    order = best[np.argsort(states.latency_s[best], kind="stable")]
    hope = roomy[states.cut[order]] | (states.latency_s[order] <= HOPELESS * states.latency_s[order[0]])
    return states.take(order[hope & np.isfinite(states.latency_s[order])])
