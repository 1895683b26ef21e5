"""Clients that are exact copies of one another: exchanging all they hold changes no latency."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import IntArray
from epsl_opt.solvers.dual.lagrangian import CutProblem


def copies_of(problem: CutProblem) -> tuple[IntArray, ...]:
    """Group the clients that are exact copies of one another; each group holds two clients or more, ascending.

    Copies have equal processors, power limits and channels, to the last bit. What they hold can be exchanged so that no
    client of a group holds more subchannels than one before it.
    """
    costs = problem.costs
    client = np.column_stack(
        [costs.client_forward_s, costs.client_backward_s, problem.max_power_w, problem.noise, problem.downlink_bps]
    )
    _, kind = np.unique(client, axis=0, return_inverse=True)
    groups = (np.flatnonzero(kind == k) for k in range(kind.max() + 1))
    return tuple(group for group in groups if len(group) > 1)
