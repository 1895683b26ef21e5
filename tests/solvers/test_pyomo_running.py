"""How subsolvers are run: limits, interrupts, and what a status does not say."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import highspy
import pytest
from pyomo.contrib.solver.common.factory import SolverFactory
from pyomo.contrib.solver.common.util import NoOptimalSolutionError

from epsl_opt import Limits, SolutionStatus, SolveMonitor, StopReason, check, solve
from epsl_opt.cli.app import run as run_command
from epsl_opt.solvers.pyomo_model import running
from epsl_opt.solvers.pyomo_model.bounds import safe_bound_s
from epsl_opt.solvers.pyomo_model.running import Outcome, RunLimits, run
from epsl_opt.solvers.pyomo_model.scaled import ScaledCut, scaled_cut
from epsl_opt.solvers.pyomo_model.subsolvers import SUBSOLVERS, available_subsolvers
from epsl_opt.solvers.pyomo_model.tangents import OuterApproximation
from epsl_opt.testing import medium_instance, tiny_instances

LIMITS = RunLimits(time_s=30.0, rel_gap=0.0, threads=1, seed=0)
FIRST_INCUMBENT = {"mip_max_improving_sols": 1}


def medium_cut() -> ScaledCut:
    """The first cut layer of an instance that takes HiGHS seconds."""
    return scaled_cut(medium_instance(), 0)


def test_an_incumbent_at_a_limit_is_kept() -> None:
    """Pyomo raises at a limit though there is an incumbent; our call loads it, and keeps the bound below it."""
    model = OuterApproximation(medium_cut(), 4).model
    with pytest.raises(NoOptimalSolutionError):
        SolverFactory("highs").solve(model, solver_options=FIRST_INCUMBENT)
    stopped = replace(SUBSOLVERS["highs"], settings=FIRST_INCUMBENT)
    outcome = run(stopped, "milp", model, LIMITS)
    assert outcome.has_values
    assert not outcome.finished
    assert not outcome.infeasible
    assert math.isfinite(outcome.bound)
    assert outcome.bound <= model.latency()
    assert all(abs(sum(model.r[i, k].value for i in model.clients) - 1) < 1e-6 for k in model.subchannels)


def test_a_solver_stopped_at_a_limit_leaves_schedule_and_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the subsolver stops early, the run ends with a verified schedule and a valid bound, and without an error."""
    stopped = replace(SUBSOLVERS["highs"], settings=FIRST_INCUMBENT)
    monkeypatch.setitem(SUBSOLVERS, "highs", stopped)
    result = solve(medium_instance(), "pyomo", Limits(time_s=30, rel_gap=1e-6, threads=1))
    assert result.status is SolutionStatus.VERIFIED, result.message
    assert result.stop_reason in (StopReason.COMPLETED, StopReason.TIME_LIMIT)
    assert result.schedule is not None
    assert check(medium_instance(), result.schedule) == []
    assert result.bound_s is not None
    assert result.latency_s is not None
    assert result.bound_s <= result.latency_s


def test_a_limit_without_incumbent_is_no_solution() -> None:
    """HiGHS leaves zeros in its values when time is up before an incumbent; they never reach the model's variables."""
    model = OuterApproximation(medium_cut(), 4).model
    solver = SolverFactory("highs")
    options = {"load_solutions": False, "raise_exception_on_nonoptimal_result": False, "time_limit": 1e-9}
    solver.solve(model, **options)
    solution = solver._solver_model.getSolution()
    assert not solution.value_valid
    assert set(solution.col_value) <= {0.0}
    outcome = run(SUBSOLVERS["highs"], "milp", model, replace(LIMITS, time_s=1e-9))
    assert not outcome.has_values
    assert not outcome.finished
    assert all(variable.value is None for variable in model.r.values())


def test_time_is_taken_from_our_own_clock() -> None:
    """HiGHS adds its clock up over the runs of one object; what we report of many runs is what they took."""
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.addVar(0.0, 1.0)
    clock = [0.0]
    for _ in range(3):
        highs.clearSolver()
        highs.run()
        clock.append(highs.getRunTime())
    assert clock == sorted(clock)
    assert clock[3] > clock[1]
    start = time.perf_counter()
    result = solve(tiny_instances()[0], "pyomo", Limits(rel_gap=1e-5, threads=1))
    assert result.build_s + result.solve_s <= time.perf_counter() - start


def test_an_interrupt_that_the_subsolver_swallows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C during a run ends the solver as interrupted, though the subsolver did not raise."""
    calls = []

    def swallowing(subsolver: Any, interface: str, model: Any, limits: RunLimits) -> Outcome:
        calls.append(interface)
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return Outcome(has_values=False, bound=0.0, infeasible=False, finished=False)
        raise AssertionError("the signal came to nothing")

    monkeypatch.setattr(running, "_run_direct", swallowing)
    before = signal.getsignal(signal.SIGINT)
    result = solve(medium_instance(), "pyomo", Limits(threads=1))
    assert calls == ["highs"]
    assert result.stop_reason is StopReason.INTERRUPTED
    assert result.status is SolutionStatus.VERIFIED
    assert result.bound_s is not None
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("name", ["highs", "scip", "gurobi"])
def test_every_subsolver_is_silent_and_agrees(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever solves the MILP, nothing is written to standard output, and the gap is proved."""
    if not SUBSOLVERS[name].found:
        pytest.skip(f"{name} is not installed")
    (instance,) = (one for one in tiny_instances() if one.name == "as-many-subchannels-as-clients")
    for threads in (1, 2):
        result = solve(instance, "pyomo", Limits(threads=threads), {"subsolver": name})
        assert result.stop_reason is StopReason.GAP_REACHED, result.message
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"subsolver": "hihgs"}, "did you mean highs"),
        ({"form": "minlp"}, "these do: scip, gurobi"),
        ({"subsolver": "cbc"}, "is not installed: conda install"),
    ],
    ids=str,
)
def test_a_subsolver_that_cannot_is_unsupported(
    options: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subsolver that is unknown, of the wrong kind or not installed is answered by what to do."""
    monkeypatch.setitem(SUBSOLVERS, "cbc", replace(SUBSOLVERS["cbc"], program="epsl-opt-absent"))
    result = solve(tiny_instances()[0], "pyomo", options=options)
    assert result.stop_reason is StopReason.UNSUPPORTED
    assert says in result.message


def test_the_command_line_lists_subsolvers(capsys: pytest.CaptureFixture[str]) -> None:
    """`epsl-opt solvers pyomo` names every subsolver, and how to install it."""
    assert run_command(["solvers", "pyomo"]) == 0
    out = capsys.readouterr().out
    for subsolver in available_subsolvers():
        assert subsolver.name in out
        assert subsolver.install in out


def test_listing_subsolvers_imports_no_solver() -> None:
    """Finding out what is installed imports neither Pyomo nor any solver."""
    program = (
        "import sys; from epsl_opt.solvers.pyomo_model import PyomoSolver; PyomoSolver().details(); "
        "print(sorted({'pyomo', 'highspy', 'pyscipopt', 'gurobipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bound_is_taken_with_the_subsolvers_tolerance() -> None:
    """A dual bound is lowered the more the less precise the subsolver is, and no bound stays none."""
    data = medium_cut()
    precise, rough = (safe_bound_s(data, 1.0, tolerance) for tolerance in (1e-9, 1e-6))
    assert rough < precise < data.unit_s
    assert safe_bound_s(data, -math.inf, 1e-9) == -math.inf


def test_bounds_are_finite_throughout() -> None:
    """The solver reports finite bounds only, from the first moment on."""
    seen: list[float | None] = []
    solve(tiny_instances()[0], "pyomo", listener=lambda monitor: seen.append(_bound(monitor)))
    assert seen
    assert all(bound is None or math.isfinite(bound) for bound in seen)


def _bound(monitor: SolveMonitor) -> float | None:
    return monitor.bound_s
