"""Channels change from round to round as the models of motion, shadowing and fading say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from epsl_opt import InputError, load_instance
from epsl_opt.problems import path_loss, radio
from epsl_opt.problems.mobility import Surroundings, bounced, moved
from epsl_opt.problems.paper_options import PaperOptions

MANY = 3000
RARE = 1e-3
"""Draws are fixed by their seeds: a p-value below this is a wrong distribution, not bad luck."""

angles = st.floats(0, 2 * math.pi)


def around(distance_m: float = 0.0) -> Surroundings:
    """Return many clients at one distance."""
    drawn = radio.surroundings(PaperOptions(clients=MANY, subchannels=1))
    return Surroundings(np.full(MANY, distance_m), drawn.sight, drawn.shadowing)


@given(st.floats(0, 0.999), angles, st.floats(0.01, 5), angles)
def test_a_way_gone_back_ends_where_it_began(place: float, at: float, length: float, to: float) -> None:
    """Reflections keep the speed and stay in the disc, and turning round leads back the same way."""
    start = 100 * place * np.array([[math.cos(at), math.sin(at)]])
    velocity = length * np.array([[math.cos(to), math.sin(to)]])
    there, arriving = bounced(start, velocity, 40.0, 100.0)
    assert np.hypot(*there.T) <= 100 + 1e-9
    assert np.hypot(*arriving.T) == pytest.approx(length)
    back, returning = bounced(there, -arriving, 40.0, 100.0)
    assert back == pytest.approx(start, abs=1e-3)
    assert returning == pytest.approx(-velocity, abs=1e-3)


def test_clients_stay_uniform_in_the_disc() -> None:
    """However fast and long clients move, as many are on a square metre near the server as far from it."""
    start = radio.surroundings(PaperOptions(clients=MANY, subchannels=1))
    for speed, rounds in ((1.4, 30), (40.0, 30)):
        after = moved(start, 3, rounds, speed, 5.0, 200.0)
        assert stats.kstest((after.distance_m / 200) ** 2, stats.uniform.cdf).pvalue > RARE
        assert not np.allclose(after.distance_m, start.distance_m)


@pytest.mark.parametrize("speed", [1.4, 14.0])
def test_clients_go_at_the_mean_speed(speed: float) -> None:
    """From the server, a round of straight motion leads as far as the mean speed says."""
    gone = moved(around(), 1, 1, speed, 5.0, 1e6).distance_m
    assert stats.kstest(gone, stats.rayleigh(scale=5 * speed * math.sqrt(2 / math.pi)).cdf).pvalue > RARE
    assert gone.mean() == pytest.approx(5 * speed, rel=0.03)


@pytest.mark.parametrize(("part", "distance_m"), [("shadowing", 13.0), ("sight", 50.0)])
def test_correlation_falls_exponentially_with_the_way(part: str, distance_m: float) -> None:
    """Shadowing stays standard normal, sight uniform, and after a way their correlation is that of Gudmundson."""
    start = around()
    after = moved(start, 2, 1, 2.0, 5.0, 1e6)
    normal = stats.norm.ppf if part == "sight" else np.asarray
    before, now = (normal(getattr(found, part)) for found in (start, after))
    assert stats.kstest(now, stats.norm.cdf).pvalue > RARE
    way = stats.rayleigh(scale=10 * math.sqrt(2 / math.pi)).pdf
    expected = integrate.quad(lambda x: way(x) * math.exp(-x / distance_m), 0, np.inf)[0]
    low, high = stats.pearsonr(before, now).confidence_interval(0.999)
    assert low < expected < high


def test_the_server_is_seen_as_often_as_the_distance_says() -> None:
    """After many rounds, clients see the server with the probability at the distance they have come to."""
    options = PaperOptions(clients=MANY, subchannels=1, round=20, speed_m_per_s=3.0)
    found = radio.surroundings(options)
    sight = radio.lines_of_sight(options, found.distance_m, found.sight)
    probability = np.clip(path_loss.line_of_sight_probability(found.distance_m), 0, 1)
    deviation = math.sqrt(float((probability * (1 - probability)).sum()))
    assert abs(sight.sum() - probability.sum()) < stats.norm.isf(RARE / 2) * deviation


def test_round_zero_is_the_scenarios_draw() -> None:
    """In round 0 nothing has moved or faded anew."""
    still = load_instance("paper:fading=rayleigh,seed=4")
    first = load_instance("paper:fading=rayleigh,seed=4,round=0,speed_m_per_s=10")
    assert (first.channel, first.clients) == (still.channel, still.clients)


def test_fading_is_fresh_each_round_and_the_rest_stays() -> None:
    """Without motion, a round's gains are the same up to fading, and the fading of two rounds is uncorrelated."""
    flat = load_instance("paper:subchannels=2000,seed=2").channel.uplink_gain
    fading = [
        load_instance(f"paper:subchannels=2000,seed=2,fading=rayleigh,round={n}").channel.uplink_gain / flat
        for n in (0, 1, 2)
    ]
    for n in (1, 2):
        assert stats.kstest(fading[n].ravel(), stats.expon.cdf).pvalue > RARE
        assert stats.pearsonr(fading[n].ravel(), fading[n - 1].ravel()).pvalue > RARE


def test_neither_more_clients_nor_other_options_change_a_clients_way() -> None:
    """A client's motion is its own: other clients, subchannels or fading leave it alone."""
    few = load_instance("paper:round=9,speed_m_per_s=2").clients[1]
    many = load_instance("paper:round=9,speed_m_per_s=2,clients=9,subchannels=30,fading=rayleigh").clients[1]
    assert (few.distance_m, few.line_of_sight) == (many.distance_m, many.line_of_sight)


def test_no_client_comes_nearer_than_allowed() -> None:
    """The least distance holds in every round, and so does the disc."""
    for n in range(30):
        found = load_instance(f"paper:clients=8,min_distance_m=20,radius_m=30,speed_m_per_s=5,round={n}")
        assert all(20 <= (client.distance_m or 0) <= 30 + 1e-9 for client in found.clients)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("round=3", "round: has no effect without fading or speed_m_per_s"),
        ("speed_m_per_s=3", "speed_m_per_s: has no effect without round"),
        ("fading=rayleigh,round=1,round_interval_s=3", "round_interval_s: has no effect without speed_m_per_s"),
        ("fading=rayleigh,round=-1", "round: input should be greater than or equal to 0"),
        ("round=1,speed_m_per_s=0", "speed_m_per_s: input should be greater than 0"),
    ],
)
def test_options_without_effect_are_refused(options: str, problem: str) -> None:
    """An option of the motion that changes nothing is a mistake that is named."""
    with pytest.raises(InputError) as caught:
        load_instance(f"paper:{options}")
    assert problem in str(caught.value)
