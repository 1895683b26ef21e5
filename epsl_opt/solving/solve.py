"""Run one solver on one instance: our clock, our check, our gap."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence

from epsl_opt.core.checker import Violation, check, check_bound
from epsl_opt.core.defaults import DEFAULT_SOLVER
from epsl_opt.core.feasibility import infeasibility, witness
from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.ledger import Ledger
from epsl_opt.core.options import Options, parse_options
from epsl_opt.core.results import Limits, SolutionStatus, SolveResult, StopReason, check_proof, relative_gap
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.monitor import Listener, SolveMonitor
from epsl_opt.plugins.registry import load_solver
from epsl_opt.plugins.solver import AnySolver
from epsl_opt.solving.provenance import provenance

log = logging.getLogger(__name__)


def solve(
    instance: Instance,
    solver: str | AnySolver = DEFAULT_SOLVER,
    limits: Limits | None = None,
    options: Mapping[str, object] | None = None,
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
        here, never ends with a worse one; `SolveResult.warm_start` says whether it was used.

    Raises
    ------
    InputError
        If the solver or an option is unknown, or an option has a bad value.
    """
    limits = limits or Limits()
    chosen = load_solver(solver) if isinstance(solver, str) else solver
    parsed = parse_options(chosen.options_type, options or {}, f"solver {chosen.name}")
    ledger = Ledger(instance, limits)
    stop = _run(chosen, parsed, SolveMonitor.on(ledger, listener, start))
    return _judge(chosen, parsed, ledger, stop, given_start=start is not None)


def _run(solver: AnySolver, options: Options, monitor: SolveMonitor) -> StopReason:
    """Run to an end of any kind; what was found until then stays in the ledger."""
    try:
        if reason := infeasibility(monitor.instance):
            monitor.message = reason
            return StopReason.INFEASIBLE_PROVED
        if reason := solver.unsupported(monitor.instance, options):
            monitor.message = reason
            return StopReason.UNSUPPORTED
        return StopReason(solver.solve(monitor.instance, options, monitor))
    except KeyboardInterrupt:
        return StopReason.INTERRUPTED
    except (Exception, SystemExit) as error:  # whatever a solver raises, what it found before is kept
        log.debug("solver %s failed", solver.name, exc_info=True)
        monitor.message = _told(error)
        return StopReason.ERROR


def _told(error: BaseException) -> str:
    """What an error says of itself; even that may fail in a stranger's."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__


def _judge(solver: AnySolver, options: Options, ledger: Ledger, stop: StopReason, *, given_start: bool) -> SolveResult:
    """Make the result from the decisions alone: constraints and latency are computed once more at the end."""
    elapsed_s, build_s = ledger.elapsed_s, ledger.built_s or 0.0
    schedule = ledger.incumbent
    latency = None if schedule is None else instance_round(ledger.instance, schedule)
    latency_s = math.inf if latency is None else latency.round_latency_s
    violations = (*ledger.violations, *_false_claims(ledger, schedule, latency_s, stop))
    verified = schedule is not None and not violations
    if violations and stop in (StopReason.INFEASIBLE_PROVED, StopReason.UNSUPPORTED):
        stop = StopReason.ERROR
    return SolveResult(
        instance_name=ledger.instance.name,
        instance_sha256=ledger.instance.sha256,
        solver=solver.name,
        status=_status(verified, violations),
        stop_reason=stop,
        message=str(violations[0]) if violations else ledger.message,
        schedule=schedule if verified else None,
        latency=latency if verified else None,
        bound_s=None if violations or ledger.bound_s is None else min(ledger.bound_s, latency_s),
        violations=violations,
        trace=ledger.trace,
        build_s=build_s,
        solve_s=elapsed_s - build_s,
        overrun_s=max(elapsed_s - ledger.limits.time_s, 0.0),
        provenance=provenance(solver, options, ledger.limits),
        warm_start=ledger.warm if given_start else None,
        marginal_values=ledger.marginal_values if verified else None,
    )


def _status(verified: bool, violations: Sequence[Violation]) -> SolutionStatus:
    if violations:
        return SolutionStatus.REJECTED
    return SolutionStatus.VERIFIED if verified else SolutionStatus.NONE


def _false_claims(ledger: Ledger, schedule: Schedule | None, latency_s: float, stop: StopReason) -> list[Violation]:
    """A broken constraint, a bound above a feasible latency, a proof that the bound does not support."""
    false = [] if schedule is None else check(ledger.instance, schedule)
    if ledger.bound_s is not None:
        false += check_bound(ledger.bound_s, latency_s)
    if not false:
        gap = relative_gap(None if schedule is None else latency_s, ledger.bound_s)
        false += check_proof(stop, gap, ledger.limits.rel_gap)
    if stop is StopReason.INFEASIBLE_PROVED and (schedule is not None or witness(ledger.instance) is not None):
        false.append(Violation("infeasibility claimed is true", "a feasible schedule exists", 1, "schedule", 0))
    return false
