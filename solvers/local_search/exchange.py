"""When uplink phase and exchange of models end, for states of a search."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.rows import Rows
from epsl_opt.solvers.primal.power_control import head_start_s, rows_of, sending_times_s


def exchange_end(
    problem: SearchProblem, rows: Rows, cut: IntArray, start: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the end of both phases together, and each client's rate and the time for which a second less is paid.

    At the best powers a second costs the same power in either phase, so that the clients of one alone pay half of all
    that their rates would suggest: their time counts twice.
    """
    C = problem.n_clients
    root, rate, wait = np.full(len(cut), np.inf), np.zeros((len(cut), C)), np.ones((len(cut), C))
    for j in np.unique(cut):
        group = np.flatnonzero(cut == j)
        costs = problem.costs[j]
        found = rows_of(problem.instance, rows.owner[group])
        slack_s, exchange_s = sending_times_s(found, problem.instance, costs)
        left = slack_s[:, None] + head_start_s(costs)
        first = problem.nats[j] / left
        second = np.zeros_like(first)
        if costs.exchange_bits > 0:
            second = ((problem.sent_nats[j] - problem.nats[j]) / exchange_s)[:, None] + second
        both = 1 + (costs.exchange_bits > 0 and costs.uplink_bits > 0)
        root[group] = problem.forward_s[j].max() + slack_s + exchange_s
        rate[group] = np.maximum(first, second)
        wait[group] = both * np.where(first >= second, left, exchange_s[:, None])
    return root, rate, wait
