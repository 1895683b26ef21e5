"""Heuristics on hostile instances: a schedule wherever there is one, nothing false, no error and no warning."""

from __future__ import annotations

import warnings

import pytest
from hostile import hostile_instances
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import masked, small_instance

from epsl_opt import Instance, SolveResult, StopReason, solve

ALWAYS_FIND = ("greedy", "bcd", "local-search", "baseline-a", "baseline-b", "baseline-c", "baseline-d")


def _solved(instance: Instance, solver: str) -> SolveResult:
    """The result, if no number went wrong on the way to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        result = solve(instance, solver)
    assert result.stop_reason is not StopReason.ERROR, result.message
    assert result.violations == ()
    return result


@settings(max_examples=40, deadline=None)
@given(hostile_instances())
def test_a_schedule_is_found_wherever_there_is_one(instance: Instance) -> None:
    """Every heuristic ends with a schedule, no better than the optimum, if and only if enumeration finds one."""
    best = _solved(instance, "brute-force")
    for solver in ALWAYS_FIND:
        found = _solved(instance, solver)
        if best.latency_s is None:
            assert found.stop_reason is best.stop_reason is StopReason.INFEASIBLE_PROVED
        else:
            assert found.latency_s is not None
            assert found.latency_s >= best.latency_s * (1 - 1e-9)


@settings(max_examples=25, deadline=None)
@given(hostile_instances(max_clients=3, max_subchannels=4))
def test_local_search_finds_the_optimum_of_tiny_instances(instance: Instance) -> None:
    """What is small enough to enumerate is solved to optimality, whatever the dynamic range."""
    best, found = _solved(instance, "brute-force"), _solved(instance, "local-search")
    assert (best.latency_s is None) == (found.latency_s is None)
    if best.latency_s is not None:
        assert found.latency_s == pytest.approx(best.latency_s, rel=1e-9)


@pytest.mark.parametrize("solver", [*ALWAYS_FIND, "convex", "brute-force", "pyomo"])
def test_a_client_may_need_one_subchannel_each_way(solver: str) -> None:
    """A client heard on one subchannel only and told on another only gets both."""
    instance = masked(small_instance(), [[1, 0, 1], [0, 1, 1]], [[1, 1, 0], [1, 1, 1]])
    needed = masked(small_instance(), [[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 1]])
    for crossed in (instance, needed):
        assert solve(crossed, solver).latency_s is not None
    schedule = solve(needed, solver).schedule
    assert schedule is not None
    assert schedule.subchannel_client.tolist() == [0, 0, 1]


@given(st.sampled_from(["exact", "greedy", "brute-force"]))
@settings(max_examples=3)
def test_directions_that_exclude_each_other_are_infeasible(solver: str) -> None:
    """Where both directions can be served, but not by one allocation, that is proved and said."""
    instance = masked(small_instance(), [[1, 0, 0], [0, 1, 1]], [[0, 1, 1], [1, 0, 0]])
    result = solve(instance, solver)
    assert result.stop_reason is StopReason.INFEASIBLE_PROVED
    assert "at once" in result.message


@pytest.mark.parametrize("solver", ["convex", *ALWAYS_FIND])
def test_a_cut_layer_without_traffic_needs_no_subchannel(solver: str) -> None:
    """Where no client sends or receives anything of its own, fewer subchannels than clients do."""
    instance = small_instance()
    quiet = tuple(
        cut.model_copy(update={"activation_bits": 0.0, "gradient_bits": 0.0}) for cut in instance.model.cut_layers
    )
    instance = instance.replace(model=instance.model.model_copy(update={"cut_layers": quiet}))
    assert _solved(instance, solver).latency_s is not None
