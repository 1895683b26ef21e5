"""The solver: greedy starts, then iterated local search until its work is done."""

from __future__ import annotations

from pydantic import Field

from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.core.results import StopReason
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Solver, SolverKind
from epsl_opt.solvers.local_search.enumeration import is_tiny, try_all
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.search import Search
from epsl_opt.solvers.local_search.starts import starts
from epsl_opt.solvers.primal.offering import offer_allocation


class LocalSearchOptions(Options):
    """Options of `local-search`."""

    chains: int = Field(default=4, ge=1, le=64, description="searches run side by side, on different random changes")
    effort: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="multiplies the work after which the search ends by itself"
    )


class LocalSearch(Solver[LocalSearchOptions]):
    """Shifts and swaps at every promising cut layer, perturbations, pairs of clients split anew, exact power control.

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
        search = Search(problem, first, options.chains, monitor.limits.seed, options.effort)
        _offer(instance, problem, search, monitor)
        if instance.n_clients == 1:
            return StopReason.COMPLETED
        while not search.over:
            if monitor.out_of_time:
                return StopReason.TIME_LIMIT
            if search.step():
                _offer(instance, problem, search, monitor)
        return StopReason.COMPLETED


def _offer(instance: Instance, problem: SearchProblem, search: Search, monitor: SolveMonitor) -> None:
    cut = int(problem.cut_layer[search.best.cut[0]])
    offer_allocation(monitor, cut_costs(instance, cut), cut, search.best.owner[0])
