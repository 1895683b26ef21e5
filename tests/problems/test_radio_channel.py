"""Path loss, line of sight, shadowing and fading follow their formulas and distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from epsl_opt.problems import path_loss, radio
from epsl_opt.problems.fading import Fading, power_gains
from epsl_opt.problems.paper_options import PaperOptions
from epsl_opt.problems.streams import Concern, stream
from epsl_opt.problems.units import db_to_linear, dbm_to_w, dbs_to_linear

MANY = PaperOptions(clients=4000, subchannels=1)
RARE = 1e-3
"""Draws are fixed by their seeds: a p-value below this is a wrong distribution, not bad luck."""


@given(st.floats(-300, 300), st.floats(-300, 300))
def test_decibels_add_where_ratios_multiply(first: float, second: float) -> None:
    """10 dB is a factor of 10, sums of dB are products of ratios, and 30 dBm is a watt."""
    assert db_to_linear(first) * db_to_linear(second) == pytest.approx(db_to_linear(first + second), rel=1e-9)
    assert 10 * math.log10(db_to_linear(first)) == pytest.approx(first, abs=1e-9)
    assert dbs_to_linear(np.array([first]))[0] == pytest.approx(db_to_linear(first), rel=1e-12)
    assert (db_to_linear(10.0), dbm_to_w(30.0)) == (10.0, 1.0)


@pytest.mark.parametrize(("frequency_hz", "loss_db"), [(28e9, 61.39), (2.4e9, 40.05), (60e9, 68.01)])
def test_free_space_loss_at_one_metre(frequency_hz: float, loss_db: float) -> None:
    """Free-space loss at 1 m has its textbook values."""
    assert path_loss.free_space_path_loss_db(np.array([frequency_hz]))[0] == pytest.approx(loss_db, abs=0.01)


def test_path_loss_at_one_metre_is_free_space() -> None:
    """At the reference distance the model is free space, in line of sight or not."""
    frequency = np.array([27e9, 28e9])
    loss = path_loss.mean_path_loss_db(np.ones(2), np.array([True, False]), frequency)
    assert loss == pytest.approx(np.tile(path_loss.free_space_path_loss_db(frequency), (2, 1)))


@given(st.floats(1, 1000), st.booleans())
def test_path_loss_slope(distance_m: float, sight: bool) -> None:
    """Ten times the distance costs 21 dB in line of sight and 34 dB out of it."""
    distance, both = np.array([distance_m, 10 * distance_m]), np.array([sight, sight])
    loss = path_loss.mean_path_loss_db(distance, both, np.array([28e9]))[:, 0]
    assert loss[1] - loss[0] == pytest.approx(21 if sight else 34)


def test_line_of_sight_probability_closed_form() -> None:
    """The probability is 1 up to 27 m and has hand-computed values beyond."""
    at = path_loss.line_of_sight_probability
    assert at(np.array([1.0, 10.0, 27.0])) == pytest.approx(np.ones(3))
    e = math.e
    assert at(np.array([71.0, 142.0, 213.0])) == pytest.approx(
        [
            (27 / 71 * (1 - 1 / e) + 1 / e) ** 2,
            (27 / 142 * (1 - e**-2) + e**-2) ** 2,
            (27 / 213 * (1 - e**-3) + e**-3) ** 2,
        ]
    )


@given(st.floats(1, 1e5), st.floats(1, 1e5))
def test_line_of_sight_gets_rarer_with_distance(first: float, second: float) -> None:
    """The probability never grows with distance and stays between 0 and 1."""
    near, far = path_loss.line_of_sight_probability(np.array(sorted((first, second))))
    assert 0 <= far <= near + 1e-12 <= 1 + 2e-12


@pytest.mark.parametrize("distance_m", [20.0, 60.0, 120.0, 200.0])
def test_line_of_sight_frequency(distance_m: float) -> None:
    """Clients at one distance see the server as often as the model says."""
    distance = np.full(MANY.clients, distance_m)
    seen = int(radio.lines_of_sight(MANY, distance, radio.surroundings(MANY).sight).sum())
    probability = float(path_loss.line_of_sight_probability(distance)[0])
    assert stats.binomtest(seen, MANY.clients, min(probability, 1.0)).pvalue > RARE


@pytest.mark.parametrize(("sight", "deviation_db"), [(True, 3.6), (False, 9.7)])
def test_shadowing_is_normal_in_db(sight: bool, deviation_db: float) -> None:
    """Shadowing has mean 0 and a deviation of 3.6 dB in line of sight, 9.7 dB out of it."""
    drawn = radio.shadowings_db(MANY, np.full(MANY.clients, sight), radio.surroundings(MANY).shadowing)
    assert stats.kstest(drawn, stats.norm(0, deviation_db).cdf).pvalue > RARE


@pytest.mark.parametrize("inner_m", [1.0, 150.0])
def test_clients_are_uniform_in_the_ring(inner_m: float) -> None:
    """As many clients fall on a square metre near the server as far from it."""
    distance = radio.distances_m(PaperOptions(clients=4000, subchannels=1, min_distance_m=inner_m))
    share_of_area = (distance**2 - inner_m**2) / (200.0**2 - inner_m**2)
    assert stats.kstest(share_of_area, stats.uniform.cdf).pvalue > RARE


def test_distance_spread_pulls_towards_the_mean() -> None:
    """The spread scales the distances' deviation around a mean that stays, down to none."""
    spread = {s: radio.distances_m(MANY.model_copy(update={"distance_spread": s})) for s in (0.0, 0.5, 1.0)}
    assert spread[1.0].mean() == pytest.approx(spread[0.0][0], rel=0.02)
    assert np.ptp(spread[0.0]) == 0
    assert spread[0.5] == pytest.approx((spread[0.0] + spread[1.0]) / 2)


def test_gain_is_the_formula() -> None:
    """A gain is antenna gain over path loss and shadowing, times fading, computed here with plain Python."""
    options = PaperOptions(clients=3, subchannels=4, seed=11, fading="rayleigh", antenna_gain=25.0)
    frequency = np.linspace(27.9e9, 28.1e9, 4)
    air = radio.modelled(options, frequency)
    assert air.distance_m is not None
    assert air.line_of_sight is not None
    fading = power_gains(Fading.RAYLEIGH, 0.0, (3, 4), 11, Concern.UPLINK_FADING)
    for i in range(3):
        n, sigma = (2.1, 3.6) if air.line_of_sight[i] else (3.4, 9.7)
        shadowing = sigma * stream(11, Concern.SHADOWING, i).standard_normal()
        for k in range(4):
            loss = 20 * math.log10(4 * math.pi * frequency[k] / 299792458) + 10 * n * math.log10(air.distance_m[i])
            assert air.uplink_gain[i, k] == pytest.approx(25 * 10 ** (-(loss + shadowing) / 10) * fading[i, k])


def test_reciprocity() -> None:
    """Both directions have one gain unless fading is drawn apart; then path loss and shadowing are still shared."""
    frequency = np.full(4000, 28e9)
    options = PaperOptions(clients=2, subchannels=4000, fading="rayleigh")
    shared = radio.modelled(options, frequency)
    apart = radio.modelled(options.model_copy(update={"reciprocal": False}), frequency)
    assert np.array_equal(shared.uplink_gain, shared.downlink_gain)
    assert np.array_equal(apart.uplink_gain, shared.uplink_gain)
    assert apart.downlink_gain.mean(axis=1) == pytest.approx(apart.uplink_gain.mean(axis=1), rel=0.1)
    assert abs(np.corrcoef(apart.uplink_gain[0], apart.downlink_gain[0])[0, 1]) < 0.06


def test_rayleigh_power_is_exponential() -> None:
    """Rayleigh power gains are exponential with mean 1, and independent between subchannels and clients."""
    gains = power_gains(Fading.RAYLEIGH, 0.0, (50, 200), 5, Concern.UPLINK_FADING)
    assert stats.kstest(gains.ravel(), stats.expon.cdf).pvalue > RARE
    assert stats.pearsonr(gains[:, 1:].ravel(), gains[:, :-1].ravel()).pvalue > RARE
    assert stats.pearsonr(gains[1:].ravel(), gains[:-1].ravel()).pvalue > RARE


@pytest.mark.parametrize("k_db", [-5.0, 3.0, 10.0])
def test_rician_power_is_noncentral_chi_square(k_db: float) -> None:
    """Rician power gains have mean 1 and the distribution that their K-factor says."""
    k = 10 ** (k_db / 10)
    gains = power_gains(Fading.RICIAN, k_db, (50, 200), 5, Concern.UPLINK_FADING)
    assert gains.mean() == pytest.approx(1, abs=0.03)
    assert stats.kstest(gains.ravel() * 2 * (k + 1), stats.ncx2(2, 2 * k).cdf).pvalue > RARE


def test_rician_limits() -> None:
    """Without a direct path Rician is Rayleigh, draw by draw; with nothing else it is no fading at all."""
    shape, concern = (3, 5), Concern.DOWNLINK_FADING
    rayleigh = power_gains(Fading.RAYLEIGH, 10.0, shape, 1, concern)
    assert power_gains(Fading.RICIAN, -400.0, shape, 1, concern) == pytest.approx(rayleigh)
    flat = power_gains(Fading.NONE, 10.0, shape, 1, concern)
    assert power_gains(Fading.RICIAN, 400.0, shape, 1, concern) == pytest.approx(flat)


def test_streams_never_meet() -> None:
    """No two concerns, entities or seeds share a stream."""
    drawn = {stream(s, concern, i).random() for s in range(4) for concern in Concern for i in range(30)}
    assert len(drawn) == 4 * len(Concern) * 30
