"""The paper's greedy allocation (Algorithm 2) at every cut layer, with exact power control."""

from __future__ import annotations

from epsl_opt.instance import Instance
from epsl_opt.monitor import SolveMonitor
from epsl_opt.results import StopReason
from epsl_opt.solver import Solver, SolverKind, SolverOptions
from epsl_opt.solvers.allocation import equal_density_power_w, greedy_allocation
from epsl_opt.solvers.cuts import feasible_cuts
from epsl_opt.solvers.offering import offer_allocation


class Greedy(Solver[SolverOptions]):
    """One pass of the paper's three blocks: greedy subchannels at equal power, power control, best cut layer."""

    name = "greedy"
    summary = "the paper's greedy subchannels (Algorithm 2), exact power control, best cut layer"
    kind = SolverKind.HEURISTIC

    def solve(self, instance: Instance, options: SolverOptions, monitor: SolveMonitor) -> StopReason:
        """Try every cut layer, each with its own allocation."""
        power = equal_density_power_w(instance)
        for cut, costs in feasible_cuts(instance).items():
            if monitor.out_of_time:
                return StopReason.TIME_LIMIT
            offer_allocation(monitor, costs, cut, greedy_allocation(instance, costs, power))
        return StopReason.COMPLETED
