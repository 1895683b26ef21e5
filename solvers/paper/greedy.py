"""The paper's greedy allocation (Algorithm 2) at every cut layer, with exact power control."""

from __future__ import annotations

from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.core.results import StopReason
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Solver, SolverKind
from epsl_opt.solvers.primal.allocation import equal_density_power_w, greedy_allocation
from epsl_opt.solvers.primal.cuts import feasible_cuts, promising_cuts
from epsl_opt.solvers.primal.offering import offer_allocation, offer_start


class Greedy(Solver[Options]):
    """One pass of the paper's three blocks: greedy subchannels at equal power, power control, best cut layer."""

    name = "greedy"
    summary = "the paper's greedy subchannels (Algorithm 2), exact power control, best cut layer"
    kind = SolverKind.HEURISTIC

    def solve(self, instance: Instance, options: Options, monitor: SolveMonitor) -> StopReason:
        """Try every cut layer that can still win, each with its own allocation."""
        power, cuts = equal_density_power_w(instance), feasible_cuts(instance)
        offer_start(monitor, cuts)
        for cut in promising_cuts(cuts, monitor):
            if monitor.out_of_time:
                return StopReason.TIME_LIMIT
            offer_allocation(monitor, cuts[cut], cut, greedy_allocation(instance, cuts[cut], power))
        return StopReason.COMPLETED
