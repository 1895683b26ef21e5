"""Nothing that a solver can reach decides what is later trusted."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import decision, instances, instances_with_schedules

from epsl_opt import (
    Instance,
    Limits,
    Options,
    Schedule,
    SolutionStatus,
    SolveMonitor,
    Solver,
    SolveResult,
    SolverKind,
    StopReason,
    check,
    round_latency,
    solve,
)
from epsl_opt.core.marginal_values import MarginalValues

Case = tuple[Instance, Schedule]
Act = Callable[[Instance, SolveMonitor], object]


class Actor(Solver[Options]):
    """A solver that does what the test says."""

    name = "actor"
    summary = "does what the test says"
    kind = SolverKind.HEURISTIC

    def __init__(self, act: Act) -> None:
        self.act = act

    def solve(self, instance: Instance, options: Options, monitor: SolveMonitor) -> StopReason:
        stop = self.act(instance, monitor)
        return StopReason.COMPLETED if stop is None else stop  # type: ignore[return-value]


def facts(result: SolveResult) -> dict[str, Any]:
    """What a result claims, but for times."""
    schedule = result.schedule
    assert schedule is not None
    return {
        "decision": decision(schedule),
        "latency_s": result.latency_s,
        "bound_s": result.bound_s,
        "instance": (result.instance_name, result.instance_sha256),
        "status": (result.status, result.stop_reason, result.violations),
        "trace": [(point.latency_s, point.bound_s) for point in result.trace],
        "provenance": result.provenance,
    }


def vandalise(thing: Any, seen: set[int]) -> None:
    """Overwrite whatever can be reached from `thing` by attributes, indices and array flags."""
    if id(thing) in seen or isinstance(thing, type | str | int | float | None) or callable(thing):
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        with contextlib.suppress(ValueError):
            thing.setflags(write=True)
        with contextlib.suppress(ValueError):
            thing[...] = 7
        return
    for inner in thing if isinstance(thing, tuple | list) else ():
        vandalise(inner, seen)
    if isinstance(thing, list | dict):
        thing.clear()
    if type(thing).__module__.partition(".")[0] not in ("epsl_opt", "numpy"):
        return
    names = {name for name in (*dir(thing), *getattr(thing, "__dict__", {})) if not name.startswith(("__", "model_"))}
    for name in sorted(names):
        with contextlib.suppress(Exception):
            vandalise(getattr(thing, name), seen)
        for overwrite in (setattr, object.__setattr__):
            with contextlib.suppress(Exception):
                overwrite(thing, name, 1e-12)
        with contextlib.suppress(Exception):
            vars(thing)[name] = 1e-12


def honest(instance: Instance, monitor: SolveMonitor, schedule: Schedule) -> float:
    """Offer a schedule, prove half its latency, and value every resource at one."""
    latency_s = monitor.offer(schedule)
    monitor.prove(latency_s / 2)
    one, clients = [1.0] * instance.n_clients, 1.0
    monitor.value(
        MarginalValues(
            total_uplink_power_s_per_w=clients,
            client_power_s_per_w=one,
            client_compute_s_per_gflops=one,
            server_compute_s_per_gflops=1.0,
            subchannel_s=[1.0] * instance.n_subchannels,
        )
    )
    return latency_s


@given(instances_with_schedules())
def test_a_vandal_changes_nothing(case: Case) -> None:
    """A solver that overwrites all it can reach gets the result of one that does not, to the last digit."""
    instance, schedule = case
    before = instance.to_document()
    expected = solve(instance, Actor(lambda known, monitor: honest(known, monitor, schedule) and None))
    mine = schedule.copy()

    def act(known: Instance, monitor: SolveMonitor) -> None:
        honest(known, monitor, mine)
        for thing in (mine, known, monitor):
            vandalise(thing, set())

    result = solve(instance, Actor(act))
    assert facts(result) == facts(expected)
    assert instance.to_document() == before
    assert round_latency(instance, schedule).round_latency_s == result.latency_s


@given(instances_with_schedules())
def test_monitor_state_is_read_only(case: Case) -> None:
    """Setting any fact of the monitor fails with a line that says what to do instead, and changes nothing."""
    instance, schedule = case

    def act(known: Instance, monitor: SolveMonitor) -> None:
        fake = replace(round_latency(known, schedule), uplink_s=np.zeros(known.n_clients))
        lies = {
            "incumbent": schedule,
            "latency": fake,
            "bound_s": 1.0,
            "violations": (),
            "trace": (),
            "limits": Limits(),
        }
        for name, value in lies.items():
            with pytest.raises(AttributeError, match=f"{name} is read-only"):
                setattr(monitor, name, value)

    assert solve(instance, Actor(act)).status is SolutionStatus.NONE


@given(instances_with_schedules())
def test_a_schedule_is_judged_as_it_was_offered(case: Case) -> None:
    """An object that shows the checker one decision and later another is judged by plain copies of what it showed."""
    instance, schedule = case

    class Changing(Schedule):
        shown = 0

        @property
        def subchannel_power_w(self) -> Any:  # type: ignore[override]
            Changing.shown += 1
            return schedule.subchannel_power_w * (1 if Changing.shown == 1 else 1e9)

    changing = object.__new__(Changing)
    object.__setattr__(changing, "cut_layer", schedule.cut_layer)
    object.__setattr__(changing, "subchannel_client", schedule.subchannel_client)
    result = solve(instance, Actor(lambda _, monitor: monitor.offer(changing) and None))
    assert result.schedule is not None
    assert check(instance, result.schedule) == []
    assert result.latency_s == round_latency(instance, schedule).round_latency_s


class Obliging(float):
    """A number that compares as its owner likes."""

    def __le__(self, other: object) -> bool:
        return True

    def __gt__(self, other: object) -> bool:
        return True

    def __lt__(self, other: object) -> bool:
        return True

    def __rsub__(self, other: object) -> float:
        return 0.0


@given(instances_with_schedules(), st.sampled_from([2.0, math.inf, math.nan]))
def test_bounds_are_compared_as_plain_numbers(case: Case, factor: float) -> None:
    """A bound whose own comparisons always agree is rejected like the plain number it is."""
    instance, schedule = case

    def act(_: Instance, monitor: SolveMonitor) -> StopReason:
        monitor.prove(Obliging(monitor.offer(schedule) * factor))
        return StopReason.OPTIMAL_PROVED

    result = solve(instance, Actor(act))
    assert result.status is SolutionStatus.REJECTED
    assert result.violations[0].constraint == "dual bound at most a feasible latency"


@given(instances(), st.sampled_from(["proved", None, 0, object()]))
def test_an_unknown_stop_reason_is_an_error(instance: Instance, stop: object) -> None:
    """A solver that returns no stop reason failed; nothing is concluded."""
    result = solve(instance, Actor(lambda known, monitor: stop if stop is not None else "none"))
    assert (result.status, result.stop_reason) == (SolutionStatus.NONE, StopReason.ERROR)


@given(instances_with_schedules())
def test_a_solver_cannot_end_the_program(case: Case) -> None:
    """`sys.exit` in a solver, or an error that can't even be printed, is an error that keeps what was found."""
    instance, schedule = case

    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError

    for error in (SystemExit(0), MuteError()):

        def act(_: Instance, monitor: SolveMonitor, error: BaseException = error) -> None:
            monitor.offer(schedule)
            raise error

        result = solve(instance, Actor(act))
        assert (result.status, result.stop_reason) == (SolutionStatus.VERIFIED, StopReason.ERROR)


@pytest.mark.parametrize("gap", [1.0, 5.0, 100.0, math.inf, math.nan, -0.1])
def test_a_gap_is_a_fraction(gap: float) -> None:
    """A gap outside [0, 1) is refused; one that looks like percent is answered with the fraction."""
    hint = r"\(0\.05 is 5 %\)" if gap == 5 else ""
    with pytest.raises(ValueError, match=rf"rel_gap must be at least 0 and less than 1, got .*{hint}"):
        Limits(rel_gap=gap)
