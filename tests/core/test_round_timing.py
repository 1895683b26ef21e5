"""How long rounds take where models are averaged every so many of them."""

from __future__ import annotations

import math
from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances_with_schedules

from epsl_opt import Instance, Schedule
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import framework_round, sfl_round
from epsl_opt.core.round_timing import RoundTiming, round_timing
from epsl_opt.core.stage_times import StageTimes

Case = tuple[Instance, Schedule]
SECONDS = st.floats(0, 1e6)
STAGES = st.builds(StageTimes, *[SECONDS] * 7)


@given(plain=STAGES, every=st.integers(1, 50), exchange_s=SECONDS, rounds=st.integers(0, 500))
def test_time_is_rounds_and_exchanges(plain: StageTimes, every: int, exchange_s: float, rounds: int) -> None:
    """n rounds take n T + floor(n / I) exchanges, which is the sum of the rounds; I rounds take I means."""
    timing = RoundTiming(plain, every, exchange_s)
    expected = rounds * plain.round_latency_s + rounds // every * exchange_s
    assert timing.simulated_time_s(rounds) == pytest.approx(expected, rel=1e-12)
    one_by_one = math.fsum(timing.of_round(number).round_latency_s for number in range(1, rounds + 1))
    assert timing.simulated_time_s(rounds) == pytest.approx(one_by_one, rel=1e-12)
    assert every * timing.mean.round_latency_s == pytest.approx(timing.simulated_time_s(every), rel=1e-12)
    assert timing.mean.model_exchange_s == exchange_s / every


@given(plain=STAGES, exchange_s=SECONDS, rounds=st.integers(0, 500))
def test_rounds_without_an_exchange_are_as_if_there_were_none(
    plain: StageTimes, exchange_s: float, rounds: int
) -> None:
    """Before the first exchange, and where models are never averaged, n rounds take n T to the bit."""
    expected = rounds * plain.round_latency_s
    assert RoundTiming(plain).simulated_time_s(rounds) == expected
    assert RoundTiming(plain, rounds + 1, exchange_s).simulated_time_s(rounds) == expected
    assert RoundTiming(plain).mean == RoundTiming(plain).of_round(rounds + 1) == plain


@given(case=instances_with_schedules(), rounds=st.integers(1, 1000))
def test_psl_averaged_every_round_takes_the_time_of_splitfed(case: Case, rounds: int) -> None:
    """PSL with I = 1 has SFL's stages and simulated time, to the bit."""
    psl, sfl = round_timing(*case, Framework.PSL, 1), round_timing(*case, Framework.SFL)
    assert psl.of_round(rounds) == psl.mean == sfl.of_round(rounds)
    assert psl.simulated_time_s(rounds) == sfl.simulated_time_s(rounds)


@given(case=instances_with_schedules(), every=st.integers(2, 20))
def test_an_exchange_is_that_of_splitfed(case: Case, every: int) -> None:
    """Whatever EPSL aggregates, the averaging round adds the slowest upload and the broadcast of the models."""
    timing, models = round_timing(*case, Framework.EPSL, every), sfl_round(*case)
    plain = framework_round(*case, Framework.EPSL).stage_times
    exchange_s = models.slowest_upload_s + models.model_broadcast_s
    assert timing.of_round(1) == plain
    assert timing.of_round(every) == replace(plain, model_exchange_s=exchange_s)
    assert astuple(timing.mean)[:-1] == astuple(plain)[:-1]
