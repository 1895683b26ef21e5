"""How long a search goes on: by counted work, so that the end does not depend on the machine or its load.

A unit is about a microsecond on one core of 2020; the weights were fitted to measured steps from C=3, M=6 to C=200,
M=800.
"""

from __future__ import annotations

import math

from epsl_opt.solvers.local_search.neighbourhood import moves_per_state
from epsl_opt.solvers.local_search.problem import SearchProblem


def work_limit(problem: SearchProblem) -> float:
    """Work after which a search ends: about half a second at C=5, M=20, growing with the root of the size to a cap."""
    return min(5e4 * math.sqrt(problem.noise.size), 5e6)


def patience_rounds(problem: SearchProblem) -> int:
    """Local optima without a better one after which a search ends."""
    return 60 + 10 * problem.n_subchannels


def step_work(problem: SearchProblem, n_chains: int) -> float:
    """Work of one step of so many chains: overhead, evaluations, and moves that are priced and estimated."""
    moves, priced = moves_per_state(problem)
    return 1000 + n_chains * (0.7 * moves + 0.06 * priced + 8 * problem.n_subchannels)
