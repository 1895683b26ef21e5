"""The conformance suite: what every registered solver promises, as a test class to derive from."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import numpy as np
import pytest

from epsl_opt.core.checker import RELATIVE_TOLERANCE, check
from epsl_opt.core.errors import InputError
from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.json_text import format_json
from epsl_opt.core.results import Limits, SolutionStatus, SolveResult, StopReason
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins import registry
from epsl_opt.plugins.solver import SolverKind
from epsl_opt.solving.solve import solve
from epsl_opt.testing.instances import crossed_instance, medium_instance, tiny_instances

ORACLE = "brute-force"
ENDED_EARLY = (StopReason.TIME_LIMIT, StopReason.INTERRUPTED)

every_tiny_instance = pytest.mark.parametrize("instance", tiny_instances(), ids=lambda instance: instance.name)


class SolverConformance:
    """Derive a class whose name starts with `Test`, set `solver`, and let pytest collect it.

    Attributes
    ----------
    solver
        The name under which the solver is registered.
    options
        Its options, if the defaults won't do.
    time_limit_s
        Enough for the solver to end by itself on instances of 3 clients and 5 subchannels.
    time_tolerance_s
        How late it may notice that time is up; generous, since a busy machine is no fault of the solver.
    """

    solver: ClassVar[str]
    options: ClassVar[dict[str, object]] = {}
    time_limit_s: ClassVar[float] = 30.0
    time_tolerance_s: ClassVar[float] = 5.0

    _results: ClassVar[dict[tuple[object, ...], SolveResult]] = {}

    def run(self, instance: Instance, *, time_s: float | None = None, seed: int = 1) -> SolveResult:
        """Solve on one thread; skip the test if the solver says that it does not take the instance."""
        limits = Limits(time_s=time_s or self.time_limit_s, threads=1, seed=seed)
        result = solve(instance, self.solver, limits, self.options)
        if result.stop_reason is StopReason.UNSUPPORTED:
            pytest.skip(f"unsupported: {result.message}")
        return result

    def result(self, instance: Instance) -> SolveResult:
        """Solve once for all tests that look at nothing but the result."""
        key = (type(self), self.solver, str(self.options), instance.name)
        if key not in self._results:
            self._results[key] = self.run(instance)
        return self._results[key]

    def test_is_registered_under_its_name(self) -> None:
        """The solver is found by the name it calls itself, says what it is in one line, and describes its options."""
        solver = registry.load_solver(self.solver)
        assert solver.name == self.solver
        assert len(solver.summary.splitlines()) == 1
        assert isinstance(solver.kind, SolverKind)
        undescribed = [name for name, field in solver.options_type.model_fields.items() if not field.description]
        assert undescribed == []

    def test_takes_some_instance(self) -> None:
        """The solver supports at least one of the small instances."""
        limits = Limits(time_s=self.time_limit_s, threads=1)
        results = (solve(instance, self.solver, limits, self.options) for instance in tiny_instances())
        assert any(result.stop_reason is not StopReason.UNSUPPORTED for result in results)

    @every_tiny_instance
    def test_finds_a_verified_schedule(self, instance: Instance) -> None:
        """Every small feasible instance ends with a schedule that passes the independent check."""
        result = self.result(instance)
        assert result.status is SolutionStatus.VERIFIED, result.message
        assert result.schedule is not None
        assert check(instance, result.schedule) == []
        assert result.latency_s == instance_round(instance, result.schedule).round_latency_s

    @every_tiny_instance
    def test_never_beats_the_optimum(self, instance: Instance) -> None:
        """No schedule is faster than the enumerated optimum, and no bound above it."""
        optimum_s = _optimum_s(instance)
        result = self.result(instance)
        assert result.latency_s is not None
        assert result.latency_s >= optimum_s * (1 - RELATIVE_TOLERANCE)
        assert result.bound_s is None or result.bound_s <= optimum_s * (1 + RELATIVE_TOLERANCE)

    @every_tiny_instance
    def test_proofs_are_true(self, instance: Instance) -> None:
        """What is claimed optimal, or within the gap, is so by enumeration; an exact solver ends with such a claim."""
        optimum_s = _optimum_s(instance)
        result = self.result(instance)
        assert result.latency_s is not None
        if result.stop_reason is StopReason.OPTIMAL_PROVED:
            assert result.latency_s <= optimum_s * (1 + 2 * RELATIVE_TOLERANCE)
        elif result.stop_reason is StopReason.GAP_REACHED:
            assert result.latency_s * (1 - Limits().rel_gap) <= optimum_s * (1 + 2 * RELATIVE_TOLERANCE)
        else:
            exact = registry.load_solver(self.solver).kind is SolverKind.EXACT
            assert not exact or result.stop_reason in ENDED_EARLY

    def test_bound_is_at_most_the_latency(self) -> None:
        """Where enumeration is out of reach too, a bound is at most the latency."""
        result = self.run(medium_instance())
        assert result.status is SolutionStatus.VERIFIED, result.message
        assert result.latency_s is not None
        assert result.bound_s is None or result.bound_s <= result.latency_s

    @every_tiny_instance
    def test_is_repeatable(self, instance: Instance) -> None:
        """The same seed gives the same schedule, to the last bit, unless time ran out."""
        first, second = self.result(instance), self.run(instance)
        if not {first.stop_reason, second.stop_reason} & set(ENDED_EARLY):
            assert first.schedule is not None
            assert second.schedule is not None
            assert _content(first.schedule) == _content(second.schedule)
            assert first.bound_s == second.bound_s

    def test_takes_any_seed(self) -> None:
        """Whatever the seed, the schedule is verified."""
        for seed in (0, 2, 2**32):
            assert self.run(tiny_instances()[0], seed=seed).status is SolutionStatus.VERIFIED

    @pytest.mark.parametrize("time_s", [1e-6, 0.2])
    def test_respects_the_time_limit(self, time_s: float) -> None:
        """Soon after time is up the solver ends, with a verified schedule or none, and without an error."""
        result = self.run(medium_instance(), time_s=time_s)
        assert result.status is not SolutionStatus.REJECTED, result.message
        assert result.stop_reason is not StopReason.ERROR, result.message
        assert result.overrun_s <= self.time_tolerance_s

    def test_no_schedule_is_no_error(self) -> None:
        """Where no schedule exists, and only a search can tell, the solver ends without one and without failing."""
        result = self.run(crossed_instance())
        assert result.status is SolutionStatus.NONE
        assert result.stop_reason is not StopReason.ERROR, result.message

    def test_refuses_unknown_options(self) -> None:
        """An option that does not exist is an error that names it."""
        with pytest.raises(InputError, match="no_such_option"):
            solve(tiny_instances()[0], self.solver, options={"no_such_option": 1})

    def test_writes_nothing(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Standard output belongs to the caller: nothing is written there, not even by a library underneath."""
        self.run(tiny_instances()[0])
        assert capfd.readouterr().out == ""

    @every_tiny_instance
    def test_leaves_the_instance_alone(self, instance: Instance) -> None:
        """The instance is the same before and after, to the last digit."""
        self.result(instance)
        (drawn_again,) = (again for again in tiny_instances() if again.name == instance.name)
        assert format_json(instance.to_document()) == format_json(drawn_again.to_document())


@cache
def _optimum_s(instance: Instance) -> float:
    """Return the least latency by enumeration; skip the test where the oracle is not installed."""
    if ORACLE not in registry.names(registry.SOLVERS):
        pytest.skip(f"the oracle {ORACLE!r} is not installed")
    result = solve(instance, ORACLE)
    assert result.stop_reason is StopReason.OPTIMAL_PROVED, result.message
    assert result.latency_s is not None
    return result.latency_s


def _content(schedule: Schedule) -> tuple[int, list[int], list[float]]:
    return schedule.cut_layer, np.asarray(schedule.subchannel_client).tolist(), schedule.subchannel_power_w.tolist()
