"""`exact` searches for schedules while it proves bounds: by counted work, from its best, never when it is done soon."""

from __future__ import annotations

import math

import numpy as np
import pytest
from strategies import ROUNDS

from epsl_opt import Limits, load_instance, solve
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.exact import incumbents as module
from epsl_opt.solvers.exact.incumbents import Incumbents
from epsl_opt.solvers.local_search.solver import LocalSearch, LocalSearchOptions
from epsl_opt.solvers.primal.allocation import equal_density_power_w, greedy_allocation
from epsl_opt.solvers.primal.cuts import feasible_cuts
from epsl_opt.solvers.primal.offering import offer_allocation

UNALLOCATED = ("sl", "fl")
"""Rounds in which the greedy schedule of the small cell is the best already."""

FADING = "paper:clients=6,subchannels=20,fading=rayleigh,bandwidth_spread=0.5,seed=1"


def _monitor(spec: str, **training: object) -> SolveMonitor:
    """A monitor with the greedy schedule of the first cut layer as incumbent."""
    instance = load_instance(spec).with_training(**training)
    monitor = SolveMonitor(instance, Limits(time_s=math.inf))
    cut, costs = next(iter(feasible_cuts(instance).items()))
    offer_allocation(monitor, costs, cut, greedy_allocation(instance, costs, equal_density_power_w(instance)))
    return monitor


@pytest.mark.parametrize("training", ROUNDS)
def test_schedules_get_better_whatever_the_round(training: dict[str, object]) -> None:
    """Once the proof has taken long, the searches improve the incumbent, for the round of any framework."""
    monitor = _monitor(FADING, **training)
    before = monitor.latency_s
    incumbents = Incumbents(monitor.instance, monitor)
    incumbents.count(4e3)
    incumbents.catch_up()
    assert monitor.latency_s < before or training.get("framework") in UNALLOCATED
    assert monitor.latency_s <= before
    assert not monitor.violations


def test_a_proof_that_is_done_soon_is_not_held_up() -> None:
    """Until the proof has counted its head start, nothing is searched."""
    monitor = _monitor(FADING)
    before = monitor.latency_s
    incumbents = Incumbents(monitor.instance, monitor)
    incumbents.count()
    incumbents.catch_up()
    assert monitor.latency_s == before


def test_one_search_in_two_is_that_of_local_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given the work of both, the incumbent is no worse than what `local-search` ends with."""
    monkeypatch.setattr(module, "LEAST_SHARE", 1.0)
    alone = SolveMonitor(load_instance(FADING), Limits(time_s=math.inf))
    LocalSearch().solve(alone.instance, LocalSearchOptions(), alone)
    monitor = _monitor(FADING)
    incumbents = Incumbents(monitor.instance, monitor)
    incumbents.count(1e4)
    incumbents.catch_up()
    assert incumbents._n_searches >= 2
    assert monitor.latency_s <= alone.latency_s * (1 + 1e-12)


def test_one_seed_gives_one_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    """With searches from the first node on, two runs end with the same schedule and bound to the bit."""
    monkeypatch.setattr(module, "HEAD_START", 0.0)
    limits = Limits(time_s=math.inf, rel_gap=1e-3, threads=1)
    first, second = (solve(load_instance(FADING), "exact", limits, {"max_nodes": 300}) for _ in range(2))
    assert first.schedule is not None
    assert second.schedule is not None
    np.testing.assert_array_equal(first.schedule.subchannel_power_w, second.schedule.subchannel_power_w)
    assert first.bound_s == second.bound_s


@pytest.mark.parametrize("spec", ["paper:clients=1,subchannels=3", "paper:clients=2,subchannels=2"])
def test_instances_with_nothing_to_search_end(spec: str) -> None:
    """One client, or one subchannel for each, do not keep the searches going."""
    monitor = _monitor(spec)
    incumbents = Incumbents(monitor.instance, monitor)
    incumbents.count(1e4)
    incumbents.catch_up()
    assert math.isfinite(monitor.latency_s)


def test_a_better_schedule_gives_the_searches_their_full_share() -> None:
    """An improvement sets the share to full; searches that find nothing get less in the end."""
    monitor = _monitor(FADING)
    incumbents = Incumbents(monitor.instance, monitor)
    incumbents.count(1.5e4)
    incumbents.catch_up()
    assert incumbents._share < module.FULL_SHARE
    monitor_of_worse = _monitor(FADING)
    worse = Incumbents(monitor_of_worse.instance, monitor_of_worse)
    worse.count(4e3)
    worse.catch_up()
    assert worse._share == module.FULL_SHARE
