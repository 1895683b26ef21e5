"""The solver: greedy starts, then iterated local search until its work is done."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.core.results import StopReason
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Solver, SolverKind
from epsl_opt.solvers.local_search.chains import Chains
from epsl_opt.solvers.local_search.enumeration import is_tiny, try_all
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.starts import starts
from epsl_opt.solvers.local_search.work import patience_rounds, step_work, work_limit
from epsl_opt.solvers.primal.offering import offer_allocation


class LocalSearchOptions(Options):
    """Options of `local-search`."""

    chains: int = Field(default=4, ge=1, le=64, description="searches run side by side, on different random changes")
    effort: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="multiplies the work after which the search ends by itself"
    )


class LocalSearch(Solver[LocalSearchOptions]):
    """Shifts and swaps of subchannels at every promising cut layer, perturbations, exact power control.

    Moves are judged by a smoothed latency in closed form and made after exact evaluation. The end is set by counted
    work, not by the clock: one seed gives one schedule unless the time limit interferes. Tiny instances are enumerated.
    """

    name = "local-search"
    summary = "moves and swaps of subchannels, cut changes, exact power control, from several starts"
    kind = SolverKind.HEURISTIC
    options_type = LocalSearchOptions

    def solve(self, instance: Instance, options: LocalSearchOptions, monitor: SolveMonitor) -> StopReason:
        """Search until the work is done, or nothing better has turned up for long."""
        problem = SearchProblem.of(instance)
        monitor.built()
        if is_tiny(instance, problem.n_cuts):
            return try_all(instance, monitor)
        first = starts(instance, problem, monitor)
        if len(first) == 0:
            return StopReason.COMPLETED
        chains = Chains(problem, first, options.chains, np.random.default_rng(monitor.limits.seed))
        _offer(instance, problem, chains, monitor)
        if instance.n_clients == 1:
            return StopReason.COMPLETED
        work, limit = 0.0, options.effort * work_limit(problem)
        while work < limit and chains.stale_rounds < options.effort * patience_rounds(problem):
            if monitor.out_of_time:
                return StopReason.TIME_LIMIT
            work += step_work(problem, len(chains))
            if chains.step():
                _offer(instance, problem, chains, monitor)
        return StopReason.COMPLETED


def _offer(instance: Instance, problem: SearchProblem, chains: Chains, monitor: SolveMonitor) -> None:
    cut = int(problem.cut_layer[chains.best.cut[0]])
    offer_allocation(monitor, cut_costs(instance, cut), cut, chains.best.owner[0])
