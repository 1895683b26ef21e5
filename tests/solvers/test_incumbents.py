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
SMALL = "paper:clients=3,subchannels=8,fading=rayleigh,bandwidth_spread=0.5,seed=1"


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
    incumbents.earn(5e5)
    incumbents.catch_up()
    assert monitor.latency_s < before or training.get("framework") in UNALLOCATED
    assert monitor.latency_s <= before
    assert not monitor.violations


def test_a_proof_that_is_done_soon_is_not_held_up() -> None:
    """Until the proof has counted its head start, nothing is searched."""
    monitor = _monitor(FADING)
    before = monitor.latency_s
    incumbents = Incumbents(monitor.instance, monitor)
    incumbents.count_root_step()
    incumbents.catch_up()
    assert monitor.latency_s == before


def test_one_search_is_that_of_local_search() -> None:
    """Given the work of both, the incumbent is no worse than what `local-search` ends with."""
    alone = SolveMonitor(load_instance(SMALL), Limits(time_s=math.inf))
    LocalSearch().solve(alone.instance, LocalSearchOptions(), alone)
    monitor = _monitor(SMALL)
    incumbents = Incumbents(monitor.instance, monitor)
    incumbents.earn(1e8)
    while incumbents._n_searches <= module.OWN_STARTS + 1:
        assert incumbents.step()
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
    incumbents.earn(1e6)
    incumbents.catch_up()
    assert math.isfinite(monitor.latency_s)


def test_the_share_follows_what_is_found() -> None:
    """An improvement sets the share to full; every search that finds nothing halves it, down to the least."""
    monitor = _monitor(SMALL)
    incumbents = Incumbents(monitor.instance, monitor)
    incumbents.earn(1e8)
    shares, begun = [], 0
    while incumbents._n_searches < 7:
        before_s = monitor.latency_s
        assert incumbents.step()
        if monitor.latency_s < before_s:
            assert incumbents._share == module.FULL_SHARE
        elif incumbents._n_searches > begun:
            begun = incumbents._n_searches
            shares.append(incumbents._share)
    assert shares[-1] == module.LEAST_SHARE


def test_nodes_bounded_in_vain_earn_more() -> None:
    """While the bound does not rise, the searches earn more for a node, and again less once it does."""
    monitor = _monitor(FADING)
    incumbents = Incumbents(monitor.instance, monitor)
    nodes = int(module.WINDOW / (module.STEPS_OF_A_NODE * incumbents._step_work)) + 1
    earned, bound_s = [], 0.5 * monitor.latency_s
    for rise in (0.0, 0.0, 0.0, 0.1, 0.0):
        bound_s += rise * monitor.latency_s
        monitor.prove(bound_s)
        before = incumbents.earned
        incumbents.count_nodes(nodes)
        earned.append(incumbents.earned - before)
    assert earned[2] == earned[3] == pytest.approx(module.STALLED * earned[4])
