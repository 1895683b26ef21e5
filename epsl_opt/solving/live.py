"""Scheduling again and again as channels change, each time from the last schedule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from epsl_opt.core.defaults import DEFAULT_SOLVER
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import parse_options
from epsl_opt.core.results import Limits, SolveResult
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.registry import load_solver
from epsl_opt.plugins.solver import AnySolver
from epsl_opt.solving.solve import solve


class Rescheduler:
    """Solves instances as they come and remembers the last verified schedule, to start from it.

    Parameters
    ----------
    solver
        A registered name, or a solver object. Solvers that use no start solve every instance from scratch.
    options
        The solver's own options; strings are converted.
    warm
        False: always from scratch.

    Raises
    ------
    InputError
        If the solver or an option is unknown, or an option has a bad value.
    """

    def __init__(
        self, solver: str | AnySolver = DEFAULT_SOLVER, options: Mapping[str, object] | None = None, warm: bool = True
    ) -> None:
        self._solver = load_solver(solver) if isinstance(solver, str) else solver
        self._options = dict(options or {})
        parse_options(self._solver.options_type, self._options, f"solver {self._solver.name}")
        self._warm = warm
        self.last: Schedule | None = None

    def solve(self, instance: Instance, limits: Limits | None = None) -> SolveResult:
        """Solve `instance` and return the judged result; a run without a schedule leaves the last one in memory."""
        start = self.last if self._warm else None
        result = solve(instance, self._solver, limits, self._options, start=start)
        self.last = result.schedule or self.last
        return result


def reschedule(
    instances: Iterable[Instance],
    solver: str | AnySolver = DEFAULT_SOLVER,
    limits: Limits | None = None,
    options: Mapping[str, object] | None = None,
    warm: bool = True,
) -> Iterator[SolveResult]:
    """Solve each instance when it comes, from the last verified schedule, and yield its result.

    Parameters
    ----------
    instances
        Any iterable; the next is asked for when the result before it has been taken.
    solver, options, warm
        See `Rescheduler`.
    limits
        Time, gap, threads and seed of each solve; the defaults of `Limits` if None.

    Raises
    ------
    InputError
        If the solver or an option is unknown, or an option has a bad value; at the call, not at the first result.
    """
    rescheduler = Rescheduler(solver, options, warm)
    return (rescheduler.solve(instance, limits) for instance in instances)
