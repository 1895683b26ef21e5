"""Where the search starts: the paper's greedy allocation of every cut layer, and a rounded relaxation."""

from __future__ import annotations

import numpy as np

from epsl_opt.arrays import IntArray
from epsl_opt.instance import Instance
from epsl_opt.latency import cut_costs
from epsl_opt.monitor import SolveMonitor
from epsl_opt.solvers.allocation import equal_density_power_w, filled, greedy_allocation
from epsl_opt.solvers.cut_bounds import CutBounds
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.states import States, evaluate
from epsl_opt.solvers.offering import offer_allocation
from epsl_opt.solvers.rounding import round_allocation

ACCURACY = 1e-2
"""How far the relaxation is solved before it is rounded (relative gap)."""

LARGEST_RELAXATION = 50_000
"""Instances with more (client, subchannel) pairs than this start from greedy allocations alone."""

HOPELESS = 1.25
"""A cut layer at which the best start is so much slower than the best of all is not searched."""


def starts(instance: Instance, problem: SearchProblem, monitor: SolveMonitor) -> States:
    """Offer the first schedule of every cut layer; return the best start of each cut layer that has hope.

    The returned states are in ascending order of latency; there is none if no start serves every client.
    """
    power = equal_density_power_w(instance)
    owners = []
    for cut in problem.cut_layer.tolist():
        costs = cut_costs(instance, cut)
        owner = greedy_allocation(instance, costs, power)
        offer_allocation(monitor, costs, cut, owner)
        owners.append(filled(instance, owner))
        if monitor.out_of_time:
            break
    if problem.noise.size <= LARGEST_RELAXATION and not monitor.out_of_time:
        owners += _rounded_relaxations(instance, monitor)
    return _best_of_each_cut(problem, np.array(owners))


def _rounded_relaxations(instance: Instance, monitor: SolveMonitor) -> list[IntArray]:
    """Round the relaxation of every cut layer that can beat what is known, and offer the schedules."""
    bounds = CutBounds(instance)
    owners: list[IntArray] = []
    while not monitor.out_of_time and (cut := bounds.next_cut(monitor.latency_s)) is not None:
        relaxed = bounds.refine(cut, cutoff_s=monitor.latency_s, rel_gap=ACCURACY, stop=monitor.is_out_of_time)
        costs = bounds.problem[cut].costs
        owners.append(round_allocation(instance, costs, relaxed.allocation[0]))
        offer_allocation(monitor, costs, cut, owners[-1])
    return owners


def _best_of_each_cut(problem: SearchProblem, owners: IntArray) -> States:
    cuts = np.arange(problem.n_cuts)
    states = evaluate(problem, np.tile(owners, (len(cuts), 1)), np.repeat(cuts, len(owners)))
    latency = states.latency_s.reshape(len(cuts), len(owners))
    best = latency.argmin(axis=1) + len(owners) * cuts
    order = best[np.argsort(states.latency_s[best], kind="stable")]
    hope = states.latency_s[order] <= HOPELESS * states.latency_s[order[0]]
    return states.take(order[hope & np.isfinite(states.latency_s[order])])
