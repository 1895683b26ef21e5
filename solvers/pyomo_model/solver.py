"""The solver: cut layer by cut layer, least bound first, by whatever subsolver Pyomo finds."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.core.results import StopReason
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Details, Solver, SolverKind
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.primal.allocation import equal_density_power_w, greedy_allocation
from epsl_opt.solvers.primal.offering import offer_allocation
from epsl_opt.solvers.pyomo_model.search import CutSearch
from epsl_opt.solvers.pyomo_model.subsolvers import MILP, SUBSOLVERS, available_subsolvers, unusable

ROOT_ACCURACY = 1e-6


class PyomoOptions(Options):
    """Options of `pyomo`."""

    subsolver: str = Field(default="highs", description="the solver behind the model; `epsl-opt solvers pyomo` lists")
    form: Literal["milp", "minlp"] = Field(
        default="milp", description="milp: outer approximation by tangents; minlp: the convex MINLP itself"
    )
    tangents: int = Field(default=4, ge=1, le=10_000, description="milp: tangents of each curve to begin with")


class PyomoSolver(Solver[PyomoOptions]):
    """The readable formulation: one algebraic model a cut layer, solved by a general solver.

    Lagrangian bounds decide which cut layers are modelled at all. Every solution's allocation is rounded and gets exact
    powers before it counts, so that the subsolver's tolerances never reach a schedule.
    """

    name = "pyomo"
    summary = "algebraic Pyomo model for HiGHS, SCIP, Gurobi, ...: outer-approximated MILP or convex MINLP"
    kind = SolverKind.EXACT
    options_type = PyomoOptions

    def unsupported(self, instance: Instance, options: PyomoOptions) -> str | None:
        """Say so if the subsolver is unknown, not installed, or does not take the form."""
        return unusable(options.subsolver, options.form)

    def details(self) -> Details:
        """List the subsolvers."""
        rows = [(s.name, "yes" if s.found else "no", ", ".join(s.forms), s.install) for s in available_subsolvers()]
        return Details("Subsolvers", ("subsolver", "found", "forms", "how to install"), tuple(rows))

    def solve(self, instance: Instance, options: PyomoOptions, monitor: SolveMonitor) -> StopReason:
        """Bound every cut layer, then close those that may hold something better, least bound first."""
        bounds = CutBounds(instance)
        search = CutSearch(monitor, bounds, SUBSOLVERS[options.subsolver], options.tangents)
        monitor.prove(bounds.least_s)
        _start(instance, bounds, monitor)
        closed: set[int] = set()
        while not monitor.gap_reached:
            if monitor.out_of_time:
                return StopReason.TIME_LIMIT
            open_ = [cut for cut in bounds.open_cuts(search.cutoff_s) if cut not in closed]
            if not open_:
                return _verdict(bounds, monitor)
            if (cut := open_[0]) not in bounds.solution:
                monitor.say(f"bounding cut layer {cut}")
                bounds.refine(cut, cutoff_s=search.cutoff_s, rel_gap=ROOT_ACCURACY, stop=monitor.is_out_of_time)
                monitor.prove(min(bounds.least_s, monitor.latency_s))
            else:
                closed.add(cut)
                close = search.close_milp if options.form == MILP else search.close_minlp
                close(cut)
        return StopReason.GAP_REACHED


def _start(instance: Instance, bounds: CutBounds, monitor: SolveMonitor) -> None:
    """Offer the paper's greedy allocation with exact powers at every cut layer: ranges of variables rest on it."""
    power = equal_density_power_w(instance)
    for cut, problem in bounds.problem.items():
        offer_allocation(monitor, problem.costs, cut, greedy_allocation(instance, problem.costs, power))


def _verdict(bounds: CutBounds, monitor: SolveMonitor) -> StopReason:
    """Nothing is left to solve, yet the gap is not proved: infeasible, out of time, or beyond the subsolver."""
    if monitor.out_of_time:
        return StopReason.TIME_LIMIT
    if monitor.incumbent is None and math.isinf(bounds.least_s):
        monitor.message = "no allocation gives every client the rates it needs"
        return StopReason.INFEASIBLE_PROVED
    monitor.message = "the subsolver ended without proving the gap; exact may"
    return StopReason.COMPLETED
