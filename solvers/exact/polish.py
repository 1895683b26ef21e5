"""Local descent from an allocation, for incumbents."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.local_search.descent import descend
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.states import evaluate

TEMPERATURES = (1e-2, 1e-3, 1e-4, 1e-6)
"""Smoothing of the two maxima, relative to the latency: coarse first, to see past plateaus."""

MOST_STEPS = 200


def polish(instance: Instance, cut: int, owner: IntArray, monitor: SolveMonitor) -> IntArray:
    """Return a local optimum of the descent that starts at `owner`, shape (subchannels,)."""
    problem = SearchProblem.of(instance)
    index = int(np.flatnonzero(problem.cut_layer == cut)[0])
    best = state = evaluate(problem, owner[None, :], np.array([index]))
    for temperature in TEMPERATURES:
        for _ in range(MOST_STEPS):
            state, gain = descend(problem, state, temperature * state.latency_s)
            if state.latency_s[0] < best.latency_s[0]:
                best = state
            if gain[0] <= 0 or monitor.out_of_time:
                break
    found: IntArray = best.owner[0]
    return found
