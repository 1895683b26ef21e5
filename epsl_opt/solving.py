"""Run one solver on one instance: our clock, our check, our gap."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from epsl_opt.checker import RELATIVE_TOLERANCE, Violation, check_bound
from epsl_opt.feasibility import infeasibility
from epsl_opt.instance import Instance
from epsl_opt.monitor import Listener, SolveMonitor
from epsl_opt.options import parse_options
from epsl_opt.provenance import provenance
from epsl_opt.registry import load_solver
from epsl_opt.results import Limits, SolutionStatus, SolveResult, StopReason
from epsl_opt.schedule import Schedule
from epsl_opt.solver import Solver, SolverOptions

log = logging.getLogger(__name__)

DEFAULT_SOLVER = "exact"


def solve(
    instance: Instance,
    solver: str | Solver[Any] = DEFAULT_SOLVER,
    limits: Limits | None = None,
    options: Mapping[str, Any] | None = None,
    listener: Listener | None = None,
    start: Schedule | None = None,
) -> SolveResult:
    """Solve `instance` and return the judged result.

    Parameters
    ----------
    instance
        What to solve.
    solver
        A registered name, or a solver object.
    limits
        Time, gap, threads, seed; the defaults of `Limits` if None.
    options
        The solver's own options; strings are converted.
    listener
        Called with the monitor whenever something new is known.
    start
        A schedule to start from, such as the last one where channels change. A solver that uses it, if it is feasible
        here, never ends with a worse one; `provenance["warm_start"]` says whether it was used.

    Raises
    ------
    InputError
        If the solver or an option is unknown, or an option has a bad value.
    """
    limits = limits or Limits()
    chosen = load_solver(solver) if isinstance(solver, str) else solver
    parsed = parse_options(chosen.options_type, options or {}, f"solver {chosen.name}")
    monitor = SolveMonitor(instance, limits, listener, start)
    stop = _run(chosen, parsed, monitor)
    return _judge(chosen, parsed, monitor, stop)


def _run(solver: Solver[Any], options: SolverOptions, monitor: SolveMonitor) -> StopReason:
    """Run to an end of any kind; what was found until then stays in the monitor."""
    try:
        if reason := infeasibility(monitor.instance):
            monitor.message = reason
            return StopReason.INFEASIBLE_PROVED
        if reason := solver.unsupported(monitor.instance, options):
            monitor.message = reason
            return StopReason.UNSUPPORTED
        return solver.solve(monitor.instance, options, monitor)
    except KeyboardInterrupt:
        return StopReason.INTERRUPTED
    except Exception as error:  # whatever a solver raises, what it found before is kept
        log.debug("solver %s failed", solver.name, exc_info=True)
        monitor.message = f"{type(error).__name__}: {error}"
        return StopReason.ERROR


def _judge(solver: Solver[Any], options: SolverOptions, monitor: SolveMonitor, stop: StopReason) -> SolveResult:
    elapsed_s = monitor.elapsed_s
    violations = tuple(monitor.violations + _false_claims(monitor, stop))
    verified = monitor.incumbent is not None and not violations
    if violations:
        status = SolutionStatus.REJECTED
        monitor.message = str(violations[0])
    else:
        status = SolutionStatus.VERIFIED if verified else SolutionStatus.NONE
    if violations and stop in (StopReason.INFEASIBLE_PROVED, StopReason.UNSUPPORTED):
        stop = StopReason.ERROR
    bound = monitor.bound_s if verified or not violations else None
    return SolveResult(
        instance_name=monitor.instance.name,
        instance_sha256=monitor.instance.sha256,
        solver=solver.name,
        status=status,
        stop_reason=stop,
        message=monitor.message,
        schedule=monitor.incumbent if verified else None,
        latency=monitor.latency if verified else None,
        bound_s=None if bound is None else min(bound, monitor.latency_s),
        violations=violations,
        trace=tuple(monitor.trace),
        build_s=monitor.build_s,
        solve_s=elapsed_s - monitor.build_s,
        overrun_s=max(elapsed_s - monitor.limits.time_s, 0.0),
        provenance=provenance(solver, options, monitor.limits) | _start(monitor) | _values(monitor, verified),
    )


def _start(monitor: SolveMonitor) -> dict[str, Any]:
    return {"warm_start": monitor.warm} if monitor.was_given_start else {}


def _values(monitor: SolveMonitor, verified: bool) -> dict[str, Any]:
    if monitor.marginal_values is None or not verified:
        return {}
    return {"marginal_values": monitor.marginal_values.to_document()}


def _false_claims(monitor: SolveMonitor, stop: StopReason) -> list[Violation]:
    """A bound above a feasible latency, or a proof that the bound does not support."""
    false: list[Violation] = []
    if monitor.bound_s is not None:
        false += check_bound(monitor.bound_s, monitor.latency_s)
    if stop in (StopReason.OPTIMAL_PROVED, StopReason.GAP_REACHED) and not false:
        gap = math.inf if monitor.gap is None else monitor.gap
        asked = monitor.limits.rel_gap if stop is StopReason.GAP_REACHED else 0.0
        if gap > (tolerance := max(asked, RELATIVE_TOLERANCE)):
            false.append(Violation("gap claimed is proved", str(stop), gap, "", tolerance))
    if stop is StopReason.INFEASIBLE_PROVED and monitor.incumbent is not None:
        false.append(Violation("infeasibility claimed is true", "a feasible schedule exists", 1, "schedule", 0))
    return false
