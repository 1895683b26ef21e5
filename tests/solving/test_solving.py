"""`solve` trusts no solver: lies are named, failures keep what was found, inputs stay as they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import decision, instances, instances_with_schedules

from epsl_opt import (
    InputError,
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
    round_latency,
    solve,
)

Case = tuple[Instance, Schedule]
Act = Callable[[SolveMonitor], StopReason]


class ActorOptions(Options):
    """One option, to be misspelt."""

    patience: int = 3


class Actor(Solver[ActorOptions]):
    """A solver that does what the test says."""

    name = "actor"
    summary = "does what the test says"
    kind = SolverKind.HEURISTIC
    options_type = ActorOptions

    def __init__(self, act: Act, refusal: str | None = None) -> None:
        self.act, self.refusal = act, refusal

    def unsupported(self, instance: Instance, options: ActorOptions) -> str | None:
        return self.refusal

    def solve(self, instance: Instance, options: ActorOptions, monitor: SolveMonitor) -> StopReason:
        return self.act(monitor)


def run(instance: Instance, act: Act, limits: Limits | None = None) -> SolveResult:
    """Solve with an actor."""
    return solve(instance, Actor(act), limits)


@given(instances_with_schedules())
def test_an_honest_solver_is_verified(case: Case) -> None:
    """What an honest solver offered comes back verified, with its recomputed latency and who made it."""
    instance, schedule = case

    def act(monitor: SolveMonitor) -> StopReason:
        monitor.offer(schedule)
        return StopReason.COMPLETED

    result = run(instance, act)
    assert (result.status, result.stop_reason) == (SolutionStatus.VERIFIED, StopReason.COMPLETED)
    assert decision(result.schedule) == decision(schedule)
    assert result.latency_s == round_latency(instance, schedule).round_latency_s
    assert (result.solver, result.instance_sha256) == ("actor", instance.sha256)
    assert result.gap is None
    assert result.overrun_s == 0


@given(instances_with_schedules())
def test_power_over_the_limit_is_rejected_by_name(case: Case) -> None:
    """One schedule over a power limit rejects the run, even if an honest schedule was offered first."""
    instance, schedule = case

    def act(monitor: SolveMonitor) -> StopReason:
        monitor.offer(schedule)
        monitor.offer(Schedule(0, schedule.subchannel_client, schedule.subchannel_power_w * 1e9))
        return StopReason.COMPLETED

    result = run(instance, act)
    assert (result.status, result.schedule) == (SolutionStatus.REJECTED, None)
    assert result.violations[0].constraint == "client power limit P_i"
    assert result.message == str(result.violations[0])


@given(instances_with_schedules(), st.sampled_from([1 + 1e-6, 2.0, math.inf, math.nan]))
def test_a_false_bound_is_rejected_by_name(case: Case, factor: float) -> None:
    """A bound above the latency of a verified schedule, or one that is no number, rejects the run."""
    instance, schedule = case

    def act(monitor: SolveMonitor) -> StopReason:
        monitor.prove(monitor.offer(schedule) * factor)
        return StopReason.COMPLETED

    result = run(instance, act)
    assert result.status is SolutionStatus.REJECTED
    assert result.violations[0].constraint == "dual bound at most a feasible latency"
    assert result.bound_s is None


@given(instances_with_schedules(), st.sampled_from([StopReason.OPTIMAL_PROVED, StopReason.GAP_REACHED]))
def test_a_proof_without_bound_is_rejected_by_name(case: Case, claim: StopReason) -> None:
    """Optimality, or the gap, claimed without any bound rejects the run."""
    instance, schedule = case

    def act(monitor: SolveMonitor) -> StopReason:
        monitor.offer(schedule)
        return claim

    result = run(instance, act)
    assert result.status is SolutionStatus.REJECTED
    assert (result.violations[0].constraint, result.violations[0].entity) == ("gap claimed is proved", str(claim))


@given(instances_with_schedules(), st.sampled_from([0.0, 1e-4, 0.05]))
def test_claims_hold_what_the_bound_supports(case: Case, gap: float) -> None:
    """With a proved gap of 1e-2, GAP_REACHED holds if no less was asked for, and OPTIMAL_PROVED never does."""
    instance, schedule = case

    def act_with(claim: StopReason) -> Act:
        def act(monitor: SolveMonitor) -> StopReason:
            monitor.prove(monitor.offer(schedule) * 0.99)
            return claim

        return act

    limits = Limits(rel_gap=gap)
    reached = run(instance, act_with(StopReason.GAP_REACHED), limits)
    assert reached.status is (SolutionStatus.VERIFIED if gap >= 0.01 else SolutionStatus.REJECTED)
    assert run(instance, act_with(StopReason.OPTIMAL_PROVED), limits).status is SolutionStatus.REJECTED


@given(instances_with_schedules())
def test_optimality_holds_up_to_rounding(case: Case) -> None:
    """A bound that equals the latency up to 1e-10 proves optimality, and never exceeds the latency in the result."""
    instance, schedule = case

    def act(monitor: SolveMonitor) -> StopReason:
        monitor.prove(monitor.offer(schedule) * (1 + 1e-10))
        return StopReason.OPTIMAL_PROVED

    result = run(instance, act)
    assert result.status is SolutionStatus.VERIFIED
    assert result.gap == 0
    assert result.bound_s == result.latency_s


@given(instances_with_schedules())
def test_false_infeasibility_is_rejected_by_name(case: Case) -> None:
    """Who claims that there is no schedule where one exists is rejected, whether one was offered or not."""
    instance, schedule = case

    def act(monitor: SolveMonitor, offers: bool) -> StopReason:
        if offers:
            monitor.offer(schedule)
        return StopReason.INFEASIBLE_PROVED

    for offers in (True, False):
        result = run(instance, partial(act, offers=offers))
        assert (result.status, result.stop_reason) == (SolutionStatus.REJECTED, StopReason.ERROR)
        assert result.violations[0].constraint == "infeasibility claimed is true"


@given(instances_with_schedules(), st.booleans())
def test_an_exception_keeps_what_was_found(case: Case, found_first: bool) -> None:
    """A solver that raises midway ends as an error with its message, and its verified incumbent is kept."""
    instance, schedule = case

    def act(monitor: SolveMonitor) -> StopReason:
        if found_first:
            monitor.offer(schedule)
        raise ZeroDivisionError("no such luck")

    result = run(instance, act)
    assert (result.stop_reason, result.message) == (StopReason.ERROR, "ZeroDivisionError: no such luck")
    assert decision(result.schedule) == decision(schedule if found_first else None)
    assert result.status is (SolutionStatus.VERIFIED if found_first else SolutionStatus.NONE)


@given(instances_with_schedules(), st.booleans())
def test_an_interrupt_keeps_what_was_found(case: Case, found_first: bool) -> None:
    """Ctrl-C midway is no error: the incumbent is kept if there is one, and never invented."""
    instance, schedule = case

    def act(monitor: SolveMonitor) -> StopReason:
        if found_first:
            monitor.offer(schedule)
        raise KeyboardInterrupt

    result = run(instance, act)
    assert result.stop_reason is StopReason.INTERRUPTED
    assert decision(result.schedule) == decision(schedule if found_first else None)


@given(instances_with_schedules())
def test_a_time_limit_is_kept_or_the_overrun_reported(case: Case) -> None:
    """A time limit without a schedule invents none, and by how much it was overrun is on record."""

    def act(monitor: SolveMonitor) -> StopReason:
        assert monitor.out_of_time
        return StopReason.TIME_LIMIT

    result = run(case[0], act, Limits(time_s=1e-9))
    assert (result.status, result.stop_reason, result.latency_s) == (SolutionStatus.NONE, StopReason.TIME_LIMIT, None)
    assert result.overrun_s > 0


@given(instances_with_schedules())
def test_a_schedule_does_not_follow_the_arrays_it_was_made_of(case: Case) -> None:
    """Changing one's own arrays after an offer changes neither the offer nor the caller's arrays' flags."""
    instance, schedule = case
    owner, power = schedule.subchannel_client.copy(), schedule.subchannel_power_w.copy()

    def act(monitor: SolveMonitor) -> StopReason:
        monitor.offer(Schedule(schedule.cut_layer, owner, power))
        power[:] = 1e9
        owner[:] = 0
        return StopReason.COMPLETED

    result = run(instance, act)
    assert result.latency_s == round_latency(instance, schedule).round_latency_s
    assert np.array_equal(result.schedule.subchannel_power_w, schedule.subchannel_power_w)


@given(instances())
def test_infeasible_instances_do_not_reach_the_solver(instance: Instance) -> None:
    """An instance without schedule is answered in the problem's words, and the solver is not even started."""
    gain = instance.channel.uplink_gain.copy()
    gain[0] = 0
    silent = instance.replace(channel=instance.channel.model_copy(update={"uplink_gain": gain}))

    def act(monitor: SolveMonitor) -> StopReason:
        raise AssertionError("started")

    result = run(silent, act)
    assert (result.status, result.stop_reason) == (SolutionStatus.NONE, StopReason.INFEASIBLE_PROVED)
    assert result.message == "client-0 has no usable subchannel: all its uplink gains are zero"


@given(instances())
def test_unsupported_is_not_infeasible(instance: Instance) -> None:
    """A solver that does not take an instance says so, and nothing else is concluded."""
    result = solve(instance, Actor(lambda monitor: StopReason.COMPLETED, "only for odd clients"))
    assert (result.status, result.stop_reason) == (SolutionStatus.NONE, StopReason.UNSUPPORTED)
    assert result.message == "only for odd clients"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"patince": 1}, "solver actor: option: unknown name 'patince'; did you mean patience?"),
        ({"patience": "often"}, "solver actor: patience: "),
    ],
    ids=str,
)
@given(instance=instances())
def test_bad_options_name_solver_and_option(instance: Instance, options: dict[str, Any], problem: str) -> None:
    """An unknown option lists near matches, and a bad value names its option."""
    with pytest.raises(InputError) as caught:
        solve(instance, Actor(lambda monitor: StopReason.COMPLETED), options=options)
    assert str(caught.value).startswith(problem)
    assert "\n" not in str(caught.value)


@given(instances())
def test_the_run_can_be_repeated_from_its_provenance(instance: Instance) -> None:
    """Limits, options and versions of a run are all in its provenance."""
    limits = Limits(time_s=7.0, rel_gap=0.01, threads=2, seed=5)
    result = solve(instance, Actor(lambda monitor: StopReason.COMPLETED), limits, {"patience": "4"})
    record = result.provenance
    assert (record["time_limit_s"], record["rel_gap"], record["threads"], record["seed"]) == (7.0, 0.01, 2, 5)
    assert record["options"] == {"patience": 4}
    assert {"python", "numpy", "epsl-opt"} <= record["versions"].keys()
