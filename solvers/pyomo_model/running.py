"""Run a subsolver on a Pyomo model and say what it left behind, in one vocabulary for Pyomo's two kinds of interface.

At a limit Pyomo's new interfaces raise although there is an incumbent, unless told not to, and a solver without an
incumbent leaves zeros where values should be: hence solutions are loaded only where the solution status says that there
is one, and termination condition and solution status are judged apart. Each run gets an interface object of its own,
since HiGHS adds up its clock over the runs of one object; time is taken from our own clock in any case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import SupportsFloat

from epsl_opt.core.stop_request import noticed_interrupt
from epsl_opt.solvers.pyomo_model.pyomo_types import Model
from epsl_opt.solvers.pyomo_model.subsolvers import DIRECT, Subsolver

MOST_SEED = 2**31
MOST_SECONDS = 1e6
LOG_ERRORS = 40


@dataclass(frozen=True)
class RunLimits:
    """Limits of one run; `time_s` may be inf, `threads` None."""

    time_s: float
    rel_gap: float
    threads: int | None
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What a run left behind.

    Parameters
    ----------
    has_values
        Whether the model's variables now hold a solution.
    bound
        The solver's dual bound on the objective; -inf if it gave none.
    infeasible
        Whether it proved that the model has no solution.
    finished
        Whether it ended by itself rather than at a limit.
    interrupted
        Whether it says that the user stopped it.
    """

    has_values: bool
    bound: float
    infeasible: bool
    finished: bool
    interrupted: bool = False


def run(subsolver: Subsolver, form: str, model: Model, limits: RunLimits) -> Outcome:
    """Solve `model`.

    Raises
    ------
    KeyboardInterrupt
        After the subsolver was interrupted, even if it swallowed the signal.
    """
    interface = subsolver.interface[form]
    with noticed_interrupt() as stop:
        direct = interface in DIRECT
        outcome = (_run_direct if direct else _run_classic)(subsolver, interface, model, limits)
    if stop.made or outcome.interrupted:
        raise Interrupted(outcome)
    return outcome


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while a subsolver ran that still handed in what it had."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__()


def _run_direct(subsolver: Subsolver, interface: str, model: Model, limits: RunLimits) -> Outcome:
    from pyomo.contrib.solver.common.factory import SolverFactory
    from pyomo.contrib.solver.common.results import SolutionStatus, TerminationCondition

    if interface == "highs":
        _allow_other_threads()
    results = SolverFactory(interface).solve(
        model,
        load_solutions=False,
        raise_exception_on_nonoptimal_result=False,
        time_limit=limits.time_s if math.isfinite(limits.time_s) else None,
        rel_gap=limits.rel_gap,
        abs_gap=0.0,
        threads=limits.threads,
        solver_options=_settings(subsolver, limits),
    )
    has_values = results.solution_status in (SolutionStatus.optimal, SolutionStatus.feasible)
    if has_values:
        results.solution_loader.load_vars()
    ended = results.termination_condition
    return Outcome(
        has_values=has_values,
        bound=_finite_or_none(results.objective_bound),
        infeasible=ended is TerminationCondition.provenInfeasible,
        finished=ended is TerminationCondition.convergenceCriteriaSatisfied,
        interrupted=ended is TerminationCondition.interrupted,
    )


def _run_classic(subsolver: Subsolver, interface: str, model: Model, limits: RunLimits) -> Outcome:
    import pyomo.environ as pyo
    from pyomo.opt import TerminationCondition

    solver = pyo.SolverFactory(interface)
    if interface == "mindtpy":
        results = solver.solve(model, **_mindtpy_settings(limits))
        has_values = all(variable.value is not None for variable in model.r.values())
    else:
        timed = {"timelimit": math.ceil(limits.time_s)} if math.isfinite(limits.time_s) else {}
        results = solver.solve(model, load_solutions=False, options=_settings(subsolver, limits), **timed)
        has_values = len(results.solution) > 0
        if has_values:
            model.solutions.load_from(results)
    ended = results.solver.termination_condition
    return Outcome(
        has_values=has_values,
        bound=_finite_or_none(results.problem.lower_bound),
        infeasible=ended == TerminationCondition.infeasible,
        finished=ended == TerminationCondition.optimal,
        interrupted=ended == TerminationCondition.userInterrupt,
    )


def _mindtpy_settings(limits: RunLimits) -> dict[str, object]:
    """Outer approximation with HiGHS and Ipopt; MindtPy wants whole seconds."""
    return {
        "strategy": "OA",
        "mip_solver": "appsi_highs",
        "nlp_solver": "ipopt",
        "time_limit": math.ceil(min(limits.time_s, MOST_SECONDS)),
        "relative_bound_tolerance": limits.rel_gap,
        "logging_level": LOG_ERRORS,
    }


def _settings(subsolver: Subsolver, limits: RunLimits) -> dict[str, object]:
    meant = {"seed": limits.seed % MOST_SEED, "gap": limits.rel_gap}
    return {
        key: meant.get(value, value) if isinstance(value, str) else value for key, value in subsolver.settings.items()
    }


def _allow_other_threads() -> None:
    """HiGHS keeps one pool of threads for the process and refuses another number until it is reset."""
    import highspy

    highspy.Highs.resetGlobalScheduler(True)


def _finite_or_none(bound: SupportsFloat | None) -> float:
    """Solvers say None, inf or 1e20 for no bound."""
    try:
        value = math.inf if bound is None else float(bound)
    except (TypeError, ValueError):
        return -math.inf
    return value if abs(value) < 1e19 else -math.inf
