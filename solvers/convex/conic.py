"""Solving a CVXPY program with Clarabel and knowing whether there is a solution behind the values it shows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping

import cvxpy as cp

SHORTEST_S = 1e-3


def solve_conic(
    program: cp.Problem,
    *,
    time_left_s: Callable[[], float] | None = None,
    settings: Mapping[str, float] | None = None,
) -> bool:
    """Solve `program` in place; True if it ended with a solution.

    At a limit CVXPY shows values that mean nothing (an objective of 0, say): only the statuses `optimal` and
    `optimal_inaccurate` have a solution behind them. What rests on an inaccurate one must be certified apart.
    Settings stay in force when the same program is solved again. `time_left_s` is asked once the program is in the
    solver's form, which CVXPY keeps.
    """
    in_force = dict(settings or {})
    try:
        if time_left_s is not None:
            program.get_problem_data(cp.CLARABEL)
            in_force |= _limited(time_left_s())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            program.solve(solver=cp.CLARABEL, **in_force)
    except cp.SolverError:
        return False
    return program.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE)


def _limited(time_s: float) -> dict[str, float]:
    return {"time_limit": max(time_s, SHORTEST_S)} if math.isfinite(time_s) else {}
