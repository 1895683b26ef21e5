"""The convex relaxation: a certified lower bound and a rounded schedule."""

from __future__ import annotations

from pydantic import Field

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.core.results import StopReason
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Solver, SolverKind
from epsl_opt.solvers.convex.perspective import solve_relaxation
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.dual.lagrangian import CutProblem
from epsl_opt.solvers.primal.offering import offer_allocation
from epsl_opt.solvers.primal.rounding import round_allocation

POLISH_SPREAD = 1e-2


class ConvexOptions(Options):
    """Options of `convex`."""

    max_cones: int = Field(
        default=4000,
        ge=0,
        description="skip the conic solver above this many exponential cones (clients * subchannels)",
    )


class Convex(Solver[ConvexOptions]):
    """Solve the perspective relaxation of every cut layer that can still win, with CVXPY and Clarabel.

    The conic solver's prices are polished on the dual and its bound is recomputed from them in closed form: the bound
    holds however inaccurate the conic solution is. The fractional allocation is rounded, its powers are exact.
    """

    name = "convex"
    summary = "perspective relaxation through CVXPY: a certified bound, and the rounded schedule"
    kind = SolverKind.RELAXATION
    options_type = ConvexOptions

    def solve(self, instance: Instance, options: ConvexOptions, monitor: SolveMonitor) -> StopReason:
        """Solve the cut layers that can still win, the most promising first; the least bound is the instance's."""
        bounds = CutBounds(instance)
        monitor.prove(bounds.least_s)
        monitor.built()
        while not monitor.out_of_time:
            if (cut := bounds.next_cut(monitor.latency_s)) is None:
                return StopReason.GAP_REACHED if monitor.gap_reached else StopReason.COMPLETED
            monitor.say(f"relaxation of cut layer {cut}")
            self._solve_cut(bounds, cut, options, monitor)
        return StopReason.TIME_LIMIT

    def _solve_cut(self, bounds: CutBounds, cut: int, options: ConvexOptions, monitor: SolveMonitor) -> None:
        """Solve the relaxation, polish its prices on the dual, and round its fractional allocations."""
        problem = bounds.problem[cut]
        relaxation = None
        idle = problem.costs.idle  # any allocation is as good
        if problem.noise.size <= options.max_cones and not idle:
            relaxation = solve_relaxation(problem, bounds.radio_s(cut), lambda: monitor.remaining_s)
        if relaxation is None:
            if not idle:
                monitor.message = "conic solver skipped or gave up: bound and rounding from the dual alone"
            polished = bounds.refine(cut, stop=monitor.is_out_of_time)
        else:
            _offer_rounded(monitor, cut, problem, relaxation.allocation)
            start = relaxation.prices
            polished = bounds.refine(cut, start=start, spread=POLISH_SPREAD, stop=monitor.is_out_of_time)
        _offer_rounded(monitor, cut, problem, polished.allocation[0])
        monitor.prove(bounds.least_s)


def _offer_rounded(monitor: SolveMonitor, cut: int, problem: CutProblem, fraction: FloatArray) -> None:
    owner = round_allocation(monitor.instance, problem.costs, fraction, stop=monitor.is_out_of_time)
    offer_allocation(monitor, problem.costs, cut, owner)
