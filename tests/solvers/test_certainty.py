"""No bound that is no finite number counts, nothing is left out for it, and nothing is called proved by it."""

from __future__ import annotations

import math
from itertools import product
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import instances, small_instance

from epsl_opt import Instance, Limits, StopReason, solve
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.dual.certainty import ClosedRegions, certain, cutoff_s, exceeds, latency_bound_s
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.dual.interior_point import DualSolutions
from epsl_opt.solvers.dual.lagrangian import CutProblem, Prices, certified_bounds_s, phase_ends
from epsl_opt.solvers.dual.marginal import marginal_values
from epsl_opt.solvers.exact.tree import CutTree

NUMBERS = (-math.inf, -1.0, 0.0, 1.0, math.inf, math.nan)


def test_a_computed_bound_is_finite_or_says_nothing() -> None:
    """NaN and infinities become -inf; finite bounds stay."""
    assert certain(np.array(NUMBERS)).tolist() == [-math.inf, -1.0, 0.0, 1.0, -math.inf, -math.inf]


@pytest.mark.parametrize(("bound", "cutoff"), list(product(NUMBERS, NUMBERS)))
def test_only_an_empty_region_or_a_finite_cutoff_prunes(bound: float, cutoff: float) -> None:
    """A region is left out if it holds no schedule, or its bound exceeds a finite cutoff, and never else."""
    assert bool(exceeds(bound, cutoff)) is (bound == math.inf or (math.isfinite(cutoff) and bound > cutoff))


@given(st.floats(0, 1e100) | st.just(math.inf), st.floats(min_value=0))
def test_a_cutoff_is_never_negative_or_nan(latency_s: float, rel_gap: float) -> None:
    """Whatever gap is asked for, the cutoff lies between zero and the latency; there is none without a schedule."""
    cutoff = cutoff_s(latency_s, rel_gap)
    assert 0 <= cutoff <= latency_s
    assert cutoff == latency_s or math.isfinite(latency_s)


def test_a_bound_that_is_no_number_is_not_closed() -> None:
    """The account refuses NaN; a latency that is NaN bounds nothing, and one that is inf is no schedule."""
    account = ClosedRegions()
    account.add(2.0)
    with pytest.raises(ArithmeticError):
        account.add(math.nan)
    assert account.bound_s == 2.0
    assert latency_bound_s(math.nan) == -math.inf
    assert latency_bound_s(math.inf) == math.inf


@given(instances(max_clients=3, max_subchannels=4, max_cut_layers=1), st.integers(0, 2**32 - 1))
def test_prices_of_any_size_give_a_bound(instance: Instance, seed: int) -> None:
    """Prices up to the largest numbers give a bound below every schedule or -inf, without a warning."""
    rng = np.random.default_rng(seed)
    problem = CutProblem.of(instance, cut_costs(instance, 0))
    C = instance.n_clients

    def draw(size: int) -> np.ndarray:
        values = 10.0 ** rng.uniform(-308, 308, (9, size)) * (rng.uniform(size=(9, size)) < 0.8)
        return np.asarray(values)

    prices = Prices(draw(C), draw(C), draw(C), draw(1)[:, 0], draw(C), draw(C) - draw(C))
    bounds = certified_bounds_s(problem, problem.everything().take(np.zeros(9, dtype=np.intp)), prices)
    optimum = solve(instance, "brute-force").latency_s
    assert optimum is not None
    assert not np.isnan(bounds).any()
    assert (bounds <= optimum).all()


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 1 + 1e-9, 7.0]), st.integers(-320, 300)), min_size=1, max_size=5))
def test_the_end_of_a_phase_is_exact_however_short(clients: list[tuple[float, int]]) -> None:
    """Where a phase is many orders of magnitude shorter than what comes before, the shares in it still sum to one."""
    ready, cost = np.array([ready for ready, _ in clients]), np.array([10.0**exponent for _, exponent in clients])
    found = phase_ends(ready, cost[None, :])
    share = float(((np.sqrt(cost) / found.slack_s[0]) ** 2).sum())
    assert share == pytest.approx(1.0, rel=1e-6)
    assert math.isfinite(float(found.bound_s[0]))


@given(instances(max_clients=3, max_subchannels=5), st.sampled_from([math.nan, -math.inf]))
def test_a_failed_relaxation_loses_no_schedule(instance: Instance, nothing: float) -> None:
    """A tree whose root bound says nothing, and whose prices are worthless, never claims more than is true."""
    bounds = CutBounds(instance)
    problem, C = bounds.problem[0], instance.n_clients
    zero = np.zeros((1, C))
    fraction = np.full((1, C, instance.n_subchannels), 1 / C)
    root = DualSolutions(certain(np.array([nothing])), Prices(zero, zero, zero, np.zeros(1), zero, zero), fraction)
    tree = CutTree(instance, 0, problem, root)
    assert tree.bound_s == -math.inf
    monitor = SolveMonitor(instance, Limits(rel_gap=1e-6))
    for _ in range(3):
        if not tree.exhausted:
            tree.grow(cutoff_s(monitor.latency_s, 1e-6), monitor)
    assert tree.bound_s <= monitor.latency_s


@pytest.mark.parametrize("most_allocations", [1, 1_000_000], ids=["by the tree", "by enumeration"])
@settings(max_examples=15)
@given(instance=instances(max_clients=3, max_subchannels=4), exponent=st.integers(-320, 0), data=st.data())
def test_traffic_of_any_size_hides_no_optimum(
    most_allocations: int, instance: Instance, exponent: int, data: st.DataObject
) -> None:
    """However little one cut layer sends down, none is closed by a bound that is not true."""
    cut = data.draw(st.integers(0, instance.n_cut_layers - 1))
    cuts = list(instance.model.cut_layers)
    cuts[cut] = cuts[cut].model_copy(update={"gradient_bits": cuts[cut].gradient_bits * 10.0**exponent})
    changed = instance.replace(model=instance.model.model_copy(update={"cut_layers": tuple(cuts)}))
    with patch("epsl_opt.solvers.exact.solver.MOST_ALLOCATIONS", most_allocations):
        result = solve(changed, "exact", Limits(rel_gap=1e-7))
    optimum = solve(changed, "brute-force").latency_s
    assert result.stop_reason is StopReason.GAP_REACHED, result.message
    assert result.latency_s == pytest.approx(optimum, rel=1e-6)


def test_a_cut_layer_without_work_and_traffic() -> None:
    """Where a cut layer leaves the clients nothing to do and nothing to send, it is solved like any other."""
    instance = small_instance()
    nothing = dict.fromkeys(("client_forward_flops", "client_backward_flops", "activation_bits", "gradient_bits"), 0.0)
    cuts = (instance.model.cut_layers[0].model_copy(update=nothing), instance.model.cut_layers[1])
    model = instance.model.model_copy(update={"cut_layers": cuts})
    result = solve(instance.replace(model=model), "exact", Limits(rel_gap=1e-9))
    assert result.stop_reason is StopReason.GAP_REACHED, result.message
    assert result.latency_s == solve(instance.replace(model=model), "brute-force").latency_s


@given(instances(max_clients=3, max_subchannels=4), st.integers(0, 2**32 - 1))
def test_marginal_values_are_finite_or_absent(instance: Instance, seed: int) -> None:
    """Whatever the prices, marginal values are numbers that a file can hold, or there are none."""
    rng, C = np.random.default_rng(seed), instance.n_clients
    drawn = [10.0 ** rng.uniform(-308, 308, (1, C)) for _ in range(4)]
    problem = CutProblem.of(instance, cut_costs(instance, 0))
    values = marginal_values(
        instance, problem, Prices(drawn[0], drawn[1], drawn[2], drawn[3][:, 0], np.zeros((1, C)), np.zeros((1, C)))
    )
    assert values is None or np.isfinite(values.subchannel_s).all()


@given(instances(max_clients=3, max_subchannels=5), st.sampled_from([0.9, 0.999]))
def test_a_wide_gap_is_no_proof_of_infeasibility(instance: Instance, rel_gap: float) -> None:
    """However wide the gap asked for, a feasible instance ends with a schedule."""
    result = solve(instance, "exact", Limits(rel_gap=rel_gap))
    assert result.stop_reason is StopReason.GAP_REACHED
