"""The oracle for tiny instances: every allocation at every cut layer, with exact power control."""

from __future__ import annotations

import math

from pydantic import Field

from epsl_opt.core.checker import RELATIVE_TOLERANCE
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.core.results import StopReason
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Solver, SolverKind
from epsl_opt.solvers.enumeration import NO_ALLOCATION, enumerate_cut
from epsl_opt.solvers.primal.cuts import feasible_cuts


class BruteForceOptions(Options):
    """Options of `brute-force`."""

    max_allocations: int = Field(
        default=1_000_000, ge=1, description="refuse instances with more allocations (clients ** subchannels) than this"
    )


class BruteForce(Solver[BruteForceOptions]):
    """Enumerate all C**M allocations; leaving a subchannel free never helps, so none is left free."""

    name = "brute-force"
    summary = "enumerates every allocation and cut layer of a tiny instance: the oracle"
    kind = SolverKind.EXACT
    options_type = BruteForceOptions

    def unsupported(self, instance: Instance, options: BruteForceOptions) -> str | None:
        """Refuse instances with too many allocations."""
        exponent = instance.n_subchannels * math.log10(instance.n_clients)
        if exponent <= math.log10(options.max_allocations):
            return None
        return (
            f"{instance.n_clients} clients on {instance.n_subchannels} subchannels have 1e{exponent:.0f} allocations; "
            f"the limit is max_allocations={options.max_allocations}"
        )

    def solve(self, instance: Instance, options: BruteForceOptions, monitor: SolveMonitor) -> StopReason:
        """Evaluate everything; the least latency found is the optimum up to rounding."""
        bound_s = math.inf
        for cut, costs in feasible_cuts(instance).items():
            if (cut_bound_s := enumerate_cut(monitor, cut, costs)) is None:
                return StopReason.TIME_LIMIT
            bound_s = min(bound_s, cut_bound_s)
        if bound_s == math.inf:
            monitor.message = NO_ALLOCATION
            return StopReason.INFEASIBLE_PROVED
        if math.isfinite(bound_s):
            monitor.prove(bound_s)
        proved = monitor.gap is not None and monitor.gap <= RELATIVE_TOLERANCE
        return StopReason.OPTIMAL_PROVED if proved else StopReason.COMPLETED
