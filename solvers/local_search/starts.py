"""Where the search starts: the paper's greedy allocation of every cut layer."""

from __future__ import annotations

import numpy as np

from epsl_opt.arrays import IntArray
from epsl_opt.instance import Instance
from epsl_opt.latency import cut_costs
from epsl_opt.monitor import SolveMonitor
from epsl_opt.schedule import FREE
from epsl_opt.solvers.allocation import equal_density_power_w, greedy_allocation
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.states import States, evaluate
from epsl_opt.solvers.power_control import best_schedule

HOPELESS = 1.25
"""A cut layer at which the best start is so much slower than the best of all is not searched."""


def greedy_starts(instance: Instance, problem: SearchProblem, monitor: SolveMonitor) -> States:
    """Offer the greedy schedule of every cut layer; return the best start of each cut layer that has hope.

    The returned states are in ascending order of latency; there is none if no start serves every client.
    """
    power = equal_density_power_w(instance)
    owners = []
    for cut in problem.cut_layer.tolist():
        costs = cut_costs(instance, cut)
        owner = greedy_allocation(instance, costs, power)
        schedule = best_schedule(instance, costs, cut, owner)
        if schedule is not None:
            monitor.offer(schedule)
        owners.append(_filled(instance, owner))
        if monitor.out_of_time:
            break
    return _best_of_each_cut(problem, np.array(owners))


def _filled(instance: Instance, owner: IntArray) -> IntArray:
    """Give what the greedy rule left free to the client received strongest: one more subchannel never hurts."""
    return np.where(owner == FREE, instance.channel.uplink_gain.argmax(axis=0), owner)


def _best_of_each_cut(problem: SearchProblem, owners: IntArray) -> States:
    cuts = np.arange(problem.n_cuts)
    states = evaluate(problem, np.tile(owners, (len(cuts), 1)), np.repeat(cuts, len(owners)))
    latency = states.latency_s.reshape(len(cuts), len(owners))
    best = latency.argmin(axis=1) + len(owners) * cuts
    order = best[np.argsort(states.latency_s[best], kind="stable")]
    hope = states.latency_s[order] <= HOPELESS * states.latency_s[order[0]]
    return states.take(order[hope & np.isfinite(states.latency_s[order])])
