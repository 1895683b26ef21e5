"""Water-filling against a conic solver and its optimality conditions."""

from __future__ import annotations

import math

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances, magnitudes

from epsl_opt import Instance
from epsl_opt.core.water_filling import WaterFilling, max_rate_bps


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(noise, bandwidth, power) of a few clients; some subchannels may be unusable."""
    C, M = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    noise = st.one_of(magnitudes(1e-14, 1e-6), st.just(math.inf))
    rows = draw(st.lists(st.lists(noise, min_size=M, max_size=M), min_size=C, max_size=C))
    bandwidth = draw(st.lists(magnitudes(1e5, 1e8), min_size=M, max_size=M))
    power = draw(st.lists(st.one_of(st.just(0.0), magnitudes(1e-6, 10)), min_size=C, max_size=C))
    return np.array(rows), np.array(bandwidth), np.array(power)


@given(cases())
def test_the_water_level_behind_the_rate_spends_the_power(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """The rate is that of the one water level (found by bisection) that spends the power: the KKT conditions."""
    noise, bandwidth, power = case
    rates = max_rate_bps(noise, bandwidth, power)
    for n, p, rate in zip(noise, power, rates, strict=True):
        assert rate == pytest.approx(_rate_by_bisection(n, bandwidth, p), rel=1e-9, abs=1e-6)


def test_rate_equals_that_of_a_conic_solver() -> None:
    """CVXPY finds the same maximum on random cases."""
    rng = np.random.default_rng(1)
    for _ in range(10):
        noise, bandwidth = 10 ** rng.uniform(-9, -7, (1, 5)), rng.uniform(1, 5, 5) * 1e6
        power = np.array([10 ** rng.uniform(-2, 1)])
        p = cp.Variable(5, nonneg=True)
        # Unscaled, the coefficients span too many orders for the solver.
        rate = cp.sum(cp.multiply(bandwidth / 1e6, cp.log1p(cp.multiply(p * power[0], 1 / (noise[0] * bandwidth)))))
        problem = cp.Problem(cp.Maximize(rate), [cp.sum(p) <= 1])
        problem.solve(solver=cp.CLARABEL)
        assert max_rate_bps(noise, bandwidth, power)[0] == pytest.approx(problem.value * 1e6 / math.log(2), rel=1e-6)


@given(instances(), st.integers(0, 100))
def test_no_other_split_of_the_power_is_faster(instance: Instance, seed: int) -> None:
    """Random and equal splits of the same power never carry more."""
    noise, bandwidth, power = instance.uplink_noise_w_per_hz, instance.bandwidth_hz, instance.max_power_w
    best = max_rate_bps(noise, bandwidth, power)
    M = instance.n_subchannels
    shares = np.vstack([np.full(M, 1 / M), np.random.default_rng(seed).dirichlet(np.ones(M), 5)])
    for share in shares:
        density = np.outer(power, share) / bandwidth
        rate = (bandwidth * np.log1p(density / noise)).sum(axis=1) / math.log(2)
        assert (rate <= best * (1 + 1e-9)).all()


def test_low_power_keeps_its_digits() -> None:
    """At an SNR of 1e-12 the rate is still power / (noise ln 2) to nearly full precision."""
    rate = max_rate_bps(np.array([[1e-8, 2e-8]]), np.array([1e6, 1e6]), np.array([1e-14]))
    assert rate[0] == pytest.approx(1e-14 / 1e-8 / math.log(2), rel=1e-11)


def test_without_usable_subchannels_there_is_no_rate() -> None:
    """A client all of whose gains are zero has rate 0, and does not disturb the others."""
    noise = np.array([[math.inf, math.inf], [1e-8, math.inf]])
    rates = max_rate_bps(noise, np.array([1e6, 1e6]), np.array([1.0, 0.01]))
    assert rates[0] == 0
    assert rates[1] == pytest.approx(1e6 * math.log2(1 + 0.01 / (1e-8 * 1e6)))


def _rate_by_bisection(noise: np.ndarray, bandwidth: np.ndarray, power: float) -> float:
    """Bisect on the logarithm of the water level in plain floats."""
    pairs = [(float(n), float(b)) for n, b in zip(noise, bandwidth, strict=True) if math.isfinite(n)]
    if not pairs or power == 0:
        return 0.0
    best = min(n for n, _ in pairs)

    def spent(x: float) -> float:
        return sum(b * max(best * math.expm1(x) - (n - best), 0.0) for n, b in pairs)

    low, high = 0.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if spent(middle) < power else (low, middle)
    return sum(b * max(high - math.log(n / best), 0.0) for n, b in pairs) / math.log(2)


def test_a_wide_and_noisy_subchannel_takes_no_digits() -> None:
    """Beside a subchannel a million times wider and noisier that is just reached, rate and power invert each other."""
    noise, bandwidth = np.array([[1e-18, 1e-12]]), np.array([[1.0, 1e8]])
    filling = WaterFilling.of_rows(noise, bandwidth)
    for height in (1e-12, 1e-9, 1e-6, 1e-3):
        rate = math.log(1e6) + (1e8 + 1) * height
        power = (1e-12 - 1e-18) + (1e8 + 1) * 1e-12 * math.expm1(height)
        rate_found, power_found = filling.max_rate(np.array([power])), filling.log_level(np.array([rate]))[1]
        assert rate_found[0] == pytest.approx(rate, rel=1e-12)
        assert power_found[0] == pytest.approx(power, rel=1e-12)
        assert (filling.depths(np.array([rate])) * bandwidth).sum() == pytest.approx(power, rel=1e-12)
