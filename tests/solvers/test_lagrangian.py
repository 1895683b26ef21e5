"""The certified bound: below every schedule, for any prices, and tight where the relaxation is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances_of_any_round, instances_with_schedules

from epsl_opt import Instance, Schedule, load_instance, solve
from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.frameworks import instance_round
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.dual.lagrangian import CutProblem, Prices, certified_bounds_s, phase_ends


def _never() -> bool:
    return False


@given(instances_with_schedules(any_round=True), st.integers(0, 2**32 - 1), st.floats(-14, 2))
def test_any_prices_give_a_bound(case: tuple[Instance, Schedule], seed: int, magnitude: float) -> None:
    """Whatever the prices, the certified bound is below the latency of every feasible schedule at that cut layer."""
    instance, schedule = case
    problem = CutProblem.of(instance, cut_costs(instance, schedule.cut_layer))
    random = np.random.default_rng(seed)
    C = instance.n_clients

    def draw() -> FloatArray:
        return 10 ** (magnitude + random.normal(size=(7, C))) * (random.uniform(size=(7, C)) < 0.8)

    prices = Prices(draw() * 1e-7, draw() * 1e-7, draw() + 1e-12, draw()[:, 0], draw() * 1e-7, draw() - draw())
    everything = problem.everything().take(np.zeros(7, dtype=int))
    bounds = certified_bounds_s(problem, everything, prices)
    assert (bounds <= instance_round(instance, schedule).round_latency_s).all()


@pytest.mark.parametrize("price", [-1e-9, np.nan, np.inf])
def test_impossible_prices_are_refused(price: float) -> None:
    """Negative, NaN and infinite prices are errors, not bounds."""
    problem = CutProblem.of(instance := load_instance("paper"), cut_costs(instance, 0))
    row = np.ones((1, instance.n_clients))
    with pytest.raises(ValueError, match="prices"):
        certified_bounds_s(problem, problem.everything(), Prices(row * price, row, row, np.ones(1), 0 * row, row))


@given(instances_of_any_round(max_subchannels=6))
def test_the_refined_bound_is_below_the_optimum(instance: Instance) -> None:
    """The bound of the instance never exceeds what enumeration finds, whatever the framework and phi."""
    bounds = CutBounds(instance)
    for cut in bounds.problem:
        bounds.refine(cut, stop=_never)
    optimum = solve(instance, "brute-force").latency_s
    assert optimum is not None
    assert 0 < bounds.least_s <= optimum


@given(instances_of_any_round(max_subchannels=6), st.sampled_from([0.25, 1.0, 4.0]))
def test_a_bound_from_a_neighbours_prices_is_below_the_optimum(instance: Instance, change: float) -> None:
    """Started from the prices of other gains, the bound never exceeds what enumeration finds."""
    gains = {field: getattr(instance.channel, field) * change for field in ("uplink_gain", "downlink_gain")}
    near = CutBounds(instance.replace(channel=instance.channel.model_copy(update=gains)))
    for cut in near.problem:
        near.refine(cut, stop=_never)
    bounds = CutBounds(instance, near)
    optimum = solve(instance, "brute-force").latency_s
    assert optimum is not None
    assert bounds.least_s <= optimum
    for cut in bounds.problem:
        bounds.refine(cut, stop=_never)
    assert 0 < bounds.least_s <= optimum


def test_a_neighbours_prices_bound_as_well() -> None:
    """Bounds refined from the prices at another phi agree with those from scratch, to the accuracy asked for."""
    spec = load_instance("paper:fading=rayleigh")
    near = CutBounds(spec.with_training(aggregation_ratio=0.5))
    near.refine(near.first, stop=_never)
    instance = spec.with_training(aggregation_ratio=0.6)
    cold, warm = CutBounds(instance), CutBounds(instance, near)
    assert warm.bound_s[near.first] > cold.bound_s[near.first]
    for bounds in (cold, warm):
        bounds.refine(near.first, stop=_never)
    assert warm.bound_s[near.first] == pytest.approx(cold.bound_s[near.first], rel=1e-6)


@pytest.mark.parametrize("spec", ["paper:clients=20,subchannels=80", "paper:clients=20,subchannels=80,fading=rayleigh"])
def test_the_bound_is_tight_when_subchannels_abound(spec: str) -> None:
    """With four subchannels a client, the bound is within 1e-3 of a schedule that is rounded from it."""
    result = solve(load_instance(spec), "convex")
    assert result.gap is not None
    assert result.gap < 1e-3


@given(st.lists(st.tuples(st.floats(0, 10), st.just(0.0) | st.floats(1e-12, 10)), min_size=1, max_size=6))
def test_the_end_of_a_phase_is_bounded_below(clients: list[tuple[float, float]]) -> None:
    """No end of the phase costs less than the bound, and the end found costs as little, to 1e-9."""
    ready, cost = (np.array(column) for column in zip(*clients, strict=True))
    found = phase_ends(ready, cost[None, :])
    end_s, bound_s = float(found.end_s[0]), float(found.bound_s[0])

    def priced(end: float) -> float:
        active = cost > 0
        with np.errstate(divide="ignore"):
            return end + float((cost[active] / (end - ready[active])).sum())

    tried = [priced(end) for end in ready.max() + np.geomspace(1e-9, 100, 200)]
    assert bound_s <= min(tried) * (1 + 1e-12)
    assert priced(end_s) == pytest.approx(bound_s, rel=1e-9)
