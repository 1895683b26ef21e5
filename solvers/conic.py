"""Solving a CVXPY program with Clarabel and knowing whether there is a solution behind the values it shows."""

from __future__ import annotations

import warnings

import cvxpy as cp


def solve_conic(program: cp.Problem, **settings: float) -> bool:
    """Solve `program` in place; True if it ended with a solution.

    At a limit CVXPY shows values that mean nothing (an objective of 0, say): only the statuses `optimal` and
    `optimal_inaccurate` have a solution behind them. What rests on an inaccurate one must be certified apart.
    Settings stay in force when the same program is solved again.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            program.solve(solver=cp.CLARABEL, **settings)
    except cp.SolverError:
        return False
    return program.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE)
