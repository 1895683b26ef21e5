"""Bounds beside heuristics: never above the optimum, whatever time there was."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances_of_any_round, masked, small_instance

from epsl_opt import Instance, solve
from epsl_opt.solving.certificate import bound_beside_s


@given(instances_of_any_round(max_subchannels=5), st.sampled_from([1e-9, 1e-3, 60.0]))
def test_a_bound_beside_is_below_the_optimum(instance: Instance, time_limit_s: float) -> None:
    """Finished or not, it is no more than the enumerated optimum, and positive."""
    optimum = solve(instance, "brute-force").latency_s
    bound_s = bound_beside_s(instance, time_limit_s)
    assert optimum is not None
    assert bound_s is not None
    assert 0 < bound_s <= optimum * (1 + 1e-9)


def test_what_has_no_schedule_has_no_bound_beside() -> None:
    """An instance without a schedule has none."""
    instance = small_instance()
    nothing = np.zeros_like(instance.channel.uplink_gain)
    assert bound_beside_s(masked(instance, nothing, nothing), 60.0) is None
