"""`exact` used again: prices of its last instance help, and nothing rests on them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from strategies import instances_of_any_round

from epsl_opt import Instance, Limits, load_instance, solve
from epsl_opt.solvers.exact.solver import Exact

SPEC = "paper:clients=4,subchannels=10,fading=rayleigh"
LIMITS = Limits(time_s=60.0, rel_gap=1e-6)


def test_without_a_start_a_used_solver_is_as_a_new_one() -> None:
    """With no schedule to start from, bound and schedule are those of a new solver, to the bit."""
    used = Exact()
    solve(load_instance(f"{SPEC},seed=1"), used, LIMITS)
    again, new = (solve(load_instance(f"{SPEC},seed=2"), solver, LIMITS) for solver in (used, Exact()))
    assert again.bound_s == new.bound_s
    assert again.schedule is not None
    assert new.schedule is not None
    assert np.array_equal(again.schedule.subchannel_power_w, new.schedule.subchannel_power_w)


@given(instances_of_any_round(max_subchannels=5), instances_of_any_round(max_subchannels=5))
def test_warm_prices_prove_the_same_optimum(first: Instance, instance: Instance) -> None:
    """Whatever instance came before, the bound is below the optimum that enumeration finds, and proves it."""
    used = Exact()
    solve(first, used, LIMITS)
    optimum = solve(instance, "brute-force")
    assert optimum.latency_s is not None
    start = solve(instance, "greedy").schedule
    result = solve(instance, used, LIMITS, start=start)
    assert result.latency_s is not None
    assert result.bound_s is not None
    assert result.bound_s <= optimum.latency_s <= result.latency_s * (1 + 1e-9)
    assert result.latency_s <= optimum.latency_s * (1 + 2e-6)
