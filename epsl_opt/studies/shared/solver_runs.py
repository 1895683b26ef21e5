"""Every solver on one instance, under limits that do not depend on the clock, against one certified floor."""

from __future__ import annotations

from collections.abc import Mapping

from epsl_opt.core.instance import Instance
from epsl_opt.core.results import Limits, SolveResult, relative_gap
from epsl_opt.core.schedule import FREE, Schedule
from epsl_opt.plugins.study import Cell
from epsl_opt.solving.solve import solve

PAPER = ("bcd", "greedy")
BASELINES = ("baseline-a", "baseline-b", "baseline-c", "baseline-d")
SOLVERS = ("exact", "local-search", "convex", *PAPER, *BASELINES)
LEFT_OUT = {
    "brute-force": "takes tiny instances only",
    "pyomo": "takes minutes for what exact proves in a fraction of a second",
}
"""Solvers that studies do without, and why."""

EXACT_NODES = 1000
REL_GAP = 1e-4
GUARD_S = 600.0
"""Against solvers that hang; what ends a run otherwise is work done, so that equal points give equal rows."""


def solve_all(instance: Instance, seed: int) -> dict[str, SolveResult]:
    """Return the result of every solver of a study; `seed` draws the baselines' cut layers, too."""
    return {name: solve_with(instance, name, seed) for name in SOLVERS}


def solve_with(instance: Instance, solver: str, seed: int = 0, rel_gap: float = REL_GAP) -> SolveResult:
    """Run one solver; `exact` stops at a gap of 1e-4, if no other is given, or after 1000 nodes."""
    options = {"max_nodes": EXACT_NODES} if solver == "exact" else {}
    return solve(instance, solver, Limits(time_s=GUARD_S, rel_gap=rel_gap, seed=seed), options)


def schedule_of(result: SolveResult) -> Schedule:
    """Return the schedule that was found.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    if result.schedule is None:
        raise RuntimeError(f"{result.solver} found no schedule: {result.message}")
    return result.schedule


def floor_s(results: Mapping[str, SolveResult]) -> float:
    """Return the largest of the bounds that were proved, in seconds."""
    return max(result.bound_s for result in results.values() if result.bound_s is not None)


def used_share(schedule: Schedule) -> float:
    """Return the share of the subchannels that somebody holds; the paper's greedy allocation may leave some free."""
    return float((schedule.subchannel_client != FREE).mean())


def solver_row(result: SolveResult, bound_s: float) -> dict[str, Cell]:
    """Return what a solver found, and how far from the best bound known; empty where it found no schedule."""
    return {
        "solver": result.solver,
        "latency_s": result.latency_s,
        "bound_s": bound_s,
        "gap": relative_gap(result.latency_s, bound_s),
        "cut_layer": None if result.schedule is None else result.schedule.cut_layer,
        "used_share": None if result.schedule is None else used_share(result.schedule),
        "stop_reason": str(result.stop_reason),
    }
