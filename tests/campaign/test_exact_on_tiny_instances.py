"""`exact` on random nasty tiny instances against enumeration in long double."""

from __future__ import annotations

import math

import numpy as np
import pytest

from campaign.oracle import best_latency_s
from campaign.tiny_instances import random_instance
from epsl_opt import Limits, StopReason, solve

PRECISION = 3e-9
SEEDS = range(30)
"""The part `tiny` of a campaign tries thousands of others."""


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_is_the_optimum_of_an_independent_enumeration(seed: int) -> None:
    """The optimum, its bound and every claim of infeasibility agree with the oracle, without a warning."""
    instance = random_instance(np.random.default_rng(seed))
    optimum = best_latency_s(instance)
    result = solve(instance, "exact", Limits(rel_gap=1e-9, threads=1))
    if math.isinf(optimum):
        assert result.stop_reason is StopReason.INFEASIBLE_PROVED
        return
    assert result.stop_reason is StopReason.GAP_REACHED, result.message
    assert result.latency_s == pytest.approx(optimum, rel=PRECISION)
    assert result.bound_s is not None
    assert result.bound_s <= optimum * (1 + PRECISION)
    if result.marginal_values is not None:
        result.marginal_values.validated()
