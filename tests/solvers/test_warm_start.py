"""Solving from a given schedule: never worse than keeping it, and no difference to those who know no start."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances, schedules

from epsl_opt import Instance, Limits, Schedule, SolutionStatus, SolveMonitor, load_instance, round_latency, solve
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.solvers.primal.allocation import equal_density_power_w, greedy_allocation
from epsl_opt.solvers.primal.cuts import feasible_cuts
from epsl_opt.solvers.primal.offering import offer_allocation, offer_start

OPTIONS = {"greedy": {}, "bcd": {}, "local-search": {"effort": 0.01}, "exact": {}}
IGNORANT = ["baseline-a", "baseline-b", "baseline-c", "baseline-d", "brute-force"]


@st.composite
def starts(draw: st.DrawFn) -> tuple[Instance, Schedule]:
    """An instance and any feasible schedule of it, seldom a good one."""
    instance = draw(instances(max_clients=3, max_subchannels=5))
    return instance, draw(schedules(instance))


@pytest.mark.parametrize("solver", OPTIONS)
@examples(10)
@given(case=starts())
def test_never_worse_than_keeping_the_start(solver: str, case: tuple[Instance, Schedule]) -> None:
    """Whatever feasible schedule is given, the result is verified, at most as slow, and said to be warm."""
    instance, start = case
    result = solve(instance, solver, Limits(time_s=30), OPTIONS[solver], start=start)
    assert result.status is SolutionStatus.VERIFIED
    assert result.latency_s is not None
    assert result.latency_s <= round_latency(instance, start).round_latency_s
    assert result.warm_start is True


@pytest.mark.parametrize("solver", ["greedy", "bcd"])
@given(case=starts())
def test_never_worse_than_without_the_start(solver: str, case: tuple[Instance, Schedule]) -> None:
    """A start is one way more for `greedy` and `bcd`, and takes none away."""
    instance, start = case
    cold, warm = solve(instance, solver), solve(instance, solver, start=start)
    assert warm.latency_s is not None
    assert warm.latency_s <= (cold.latency_s or float("inf"))


@pytest.mark.parametrize("solver", OPTIONS)
def test_a_good_start_survives_a_lack_of_time(solver: str) -> None:
    """With the optimum as start and no time at all, the result is the optimum."""
    instance = load_instance("paper")
    best = solve(instance, "exact")
    result = solve(instance, solver, Limits(time_s=1e-9), start=best.schedule)
    assert result.latency_s is not None
    assert best.latency_s is not None
    assert result.latency_s <= best.latency_s


@pytest.mark.parametrize("solver", OPTIONS)
@pytest.mark.parametrize("change", ["fewer clients", "more subchannels", "no such cut layer", "less power"])
def test_a_start_that_does_not_fit_is_left_out(solver: str, change: str, caplog: pytest.LogCaptureFixture) -> None:
    """A start for other clients, subchannels, cut layers or powers changes nothing, and the log says so."""
    instance = load_instance("paper:clients=3,subchannels=6")
    other = {
        "fewer clients": load_instance("paper:clients=5,subchannels=6"),
        "more subchannels": load_instance("paper:clients=3,subchannels=5"),
        "no such cut layer": instance,
        "less power": load_instance("paper:clients=3,subchannels=6,total_power_dbm=60,client_power_dbm=60"),
    }[change]
    start = solve(other, "greedy").schedule
    assert start is not None
    if change == "no such cut layer":
        start = Schedule(instance.n_cut_layers, start.subchannel_client, start.subchannel_power_w)
    cold = solve(instance, solver, options=OPTIONS[solver])
    with caplog.at_level(logging.INFO, logger="epsl_opt"):
        warm = solve(instance, solver, options=OPTIONS[solver], start=start)
    assert warm.status is SolutionStatus.VERIFIED
    assert warm.latency_s == cold.latency_s
    assert warm.warm_start is False
    assert "does not fit" in caplog.text


@pytest.mark.parametrize("solver", IGNORANT)
def test_solvers_that_know_no_start_are_left_alone(solver: str) -> None:
    """A solver that does not ask for the start makes the schedule it always makes, and is said to be cold."""
    instance = load_instance("paper:clients=2,subchannels=5,fading=rayleigh")
    start = solve(instance, "exact").schedule
    cold, warm = solve(instance, solver), solve(instance, solver, start=start)
    assert warm.schedule is not None
    assert cold.schedule is not None
    assert warm.schedule.subchannel_client.tolist() == cold.schedule.subchannel_client.tolist()
    assert warm.schedule.subchannel_power_w.tolist() == cold.schedule.subchannel_power_w.tolist()
    assert warm.warm_start is False
    assert cold.warm_start is None


@examples(10)
@given(case=starts())
def test_exact_still_proves_the_optimum(case: tuple[Instance, Schedule]) -> None:
    """From whatever start, `exact` ends at the enumerated optimum within its gap."""
    instance, start = case
    result, oracle = solve(instance, "exact", start=start), solve(instance, "brute-force")
    assert result.latency_s is not None
    assert oracle.latency_s is not None
    assert result.gap is not None
    assert result.gap <= Limits().rel_gap
    assert oracle.latency_s * (1 - 1e-9) <= result.latency_s <= oracle.latency_s * (1 + 1.01 * Limits().rel_gap)


@given(case=starts())
def test_the_start_comes_with_new_powers_and_cut_layers(case: tuple[Instance, Schedule]) -> None:
    """What is kept of a start is as good as its allocation with the best powers at the best cut layer."""
    instance, start = case
    monitor = SolveMonitor(instance, Limits(), start=start)
    owner = offer_start(monitor, feasible_cuts(instance))
    assert owner is not None
    assert (owner >= 0).all()
    reference = SolveMonitor(instance, Limits())
    for cut in range(instance.n_cut_layers):
        offer_allocation(reference, cut_costs(instance, cut), cut, start.subchannel_client)
    assert monitor.latency_s <= reference.latency_s * (1 + 1e-12)


@given(instance=instances())
def test_greedy_leaves_out_no_cut_layer_that_could_win(instance: Instance) -> None:
    """The greedy schedule is the best over all cut layers, though not all of them are tried."""
    reference = SolveMonitor(instance, Limits())
    power = equal_density_power_w(instance)
    for cut, costs in feasible_cuts(instance).items():
        offer_allocation(reference, costs, cut, greedy_allocation(instance, costs, power))
    assert solve(instance, "greedy").latency_s == reference.latency_s


def test_rounds_of_a_cell() -> None:
    """Where clients walk, every solver's schedules from the last ones are at most as slow as the last ones kept."""
    rounds = [load_instance(f"paper:speed_m_per_s=1.4,round={n},round_interval_s=0.2") for n in range(6)]
    for solver, options in OPTIONS.items():
        start = None
        for instance in rounds:
            result = solve(instance, solver, Limits(rel_gap=1e-2), options, start=start)
            assert result.latency_s is not None
            if start is not None:
                kept_s = round_latency(instance, start).round_latency_s
                assert np.isfinite(kept_s)
                assert result.latency_s <= kept_s
            start = result.schedule
