"""The monitor keeps what a solver found, and nothing it only claims."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st
from strategies import instances, schedules

from epsl_opt import Instance, Limits, Schedule, SolveMonitor, round_latency


@st.composite
def offers(draw: st.DrawFn) -> tuple[Instance, list[Schedule]]:
    """An instance and some feasible schedules in any order."""
    instance = draw(instances())
    return instance, draw(st.lists(schedules(instance), min_size=1, max_size=4))


@given(offers())
def test_the_best_offer_is_kept(case: tuple[Instance, list[Schedule]]) -> None:
    """Whatever the order of offers, the incumbent is the fastest, and each offer gets its own latency back."""
    instance, found = case
    monitor = SolveMonitor(instance, Limits())
    latencies = [monitor.offer(schedule) for schedule in found]
    assert latencies == [round_latency(instance, schedule).round_latency_s for schedule in found]
    assert monitor.latency_s == min(latencies)
    assert monitor.incumbent is found[latencies.index(min(latencies))]


@given(offers())
def test_a_bad_offer_is_recorded_and_not_kept(case: tuple[Instance, list[Schedule]]) -> None:
    """An infeasible offer is worth infinity, leaves the incumbent, and its violations stay on record."""
    instance, found = case
    monitor = SolveMonitor(instance, Limits())
    monitor.offer(found[0])
    bad = Schedule(0, found[0].subchannel_client, found[0].subchannel_power_w * 1e9)
    assert math.isinf(monitor.offer(bad))
    assert monitor.incumbent is found[0]
    assert "limit" in str(monitor.violations[0])


@given(offers(), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_the_trace_only_improves(case: tuple[Instance, list[Schedule]], shares: list[float]) -> None:
    """Along the trace time and bound never fall, the latency never rises, and its last point is the final state."""
    instance, found = case
    monitor = SolveMonitor(instance, Limits())
    for schedule in found:
        monitor.offer(schedule)
    best = monitor.latency_s
    for share in shares:
        monitor.prove(share * best)
    points = monitor.trace
    assert all(a.elapsed_s <= b.elapsed_s for a, b in itertools.pairwise(points))
    latencies = [math.inf if p.latency_s is None else p.latency_s for p in points]
    bounds = [-math.inf if p.bound_s is None else p.bound_s for p in points]
    assert latencies == sorted(latencies, reverse=True)
    assert bounds == sorted(bounds)
    assert (latencies[-1], bounds[-1]) == (best, max(shares) * best)


@given(offers())
def test_the_listener_hears_every_step(case: tuple[Instance, list[Schedule]]) -> None:
    """The listener is called once for each new incumbent, bound and activity, with the state already updated."""
    instance, found = case
    heard: list[tuple[float, float | None, str]] = []
    monitor = SolveMonitor(instance, Limits(), lambda m: heard.append((m.latency_s, m.bound_s, m.activity)))
    latency = monitor.offer(found[0])
    monitor.offer(found[0])
    monitor.prove(latency / 2)
    monitor.say("trying cut 1")
    assert heard == [(latency, None, ""), (latency, latency / 2, ""), (latency, latency / 2, "trying cut 1")]


@given(offers())
def test_gap_needs_schedule_and_bound(case: tuple[Instance, list[Schedule]]) -> None:
    """There is a gap only once both are known, and it is reached when it is at most what was asked for."""
    instance, found = case
    monitor = SolveMonitor(instance, Limits(rel_gap=0.25))
    monitor.prove(0.0)
    assert monitor.gap is None
    assert not monitor.gap_reached
    latency = monitor.offer(found[0])
    assert monitor.gap == 1.0
    assert not monitor.gap_reached
    monitor.prove(0.8 * latency)
    assert monitor.gap_reached


@given(instances())
def test_time(instance: Instance) -> None:
    """Without a limit time never runs out; with one it does, and what remains is never negative."""
    endless = SolveMonitor(instance, Limits(time_s=math.inf))
    assert endless.remaining_s == math.inf
    assert not endless.out_of_time
    spent = SolveMonitor(instance, Limits(time_s=1e-9))
    assert spent.out_of_time
    assert spent.remaining_s == 0.0
    assert spent.build_s == 0.0
    spent.built()
    first = spent.build_s
    spent.built()
    assert 0 < first == spent.build_s
