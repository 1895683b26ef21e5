"""The race over points whose rounds to target are known beforehand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from draws import examples
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt.core.framework import Framework
from epsl_opt.files.plan_document import Fate
from epsl_opt.planning.point import Point
from epsl_opt.planning.race import Race, Slice
from epsl_opt.planning.spread import Spread
from epsl_opt.planning.standing import Pilot, Standing
from epsl_opt.planning.verdict import Verdict

HORIZON, SEEDS = 120, (4, 7, 9)
NEVER = 10**6


@dataclass(frozen=True)
class Flat:
    """Rounds that all take from `low_s` to `round_s`."""

    low_s: float
    round_s: float

    def least_s(self, rounds: float) -> float:
        """Return the bound."""
        return rounds * self.low_s

    def most_s(self, rounds: float) -> float:
        """Return the time."""
        return rounds * self.round_s

    def rounds_within(self, time_s: float) -> int:
        """Return the least number of rounds that take longer."""
        return int(time_s / self.low_s) + 1


@dataclass
class Known:
    """Answers slices from a table, and notes what was asked."""

    rounds: Mapping[tuple[Point, int], int]
    asked: list[Slice] = field(default_factory=list)

    def advance(self, slices: Sequence[Slice]) -> dict[Slice, Pilot]:
        """Train."""
        self.asked += slices
        return {each: self._pilot(each) for each in slices}

    def _pilot(self, each: Slice) -> Pilot:
        needed = self.rounds[each.point, each.seed]
        return Pilot(needed, needed) if needed <= each.rounds else Pilot(each.rounds, best_accuracy=0.5)


def point(number: int) -> Point:
    """Return a point."""
    return Point(Framework.PSL, 0.0, f"cut{number}", 4)


@st.composite
def fields(draw: st.DrawFn) -> tuple[list[Standing], dict[tuple[Point, int], int]]:
    """Points with their latencies, and the rounds that each of their seeds takes."""
    standings, table = [], {}
    for number in range(draw(st.integers(1, 7))):
        round_s = draw(st.floats(0.01, 3.0))
        low_s = round_s * draw(st.floats(0.9, 1.0))
        standings.append(Standing(point(number), Flat(low_s, round_s)))  # type: ignore[arg-type]
        typical = draw(st.integers(1, 200))
        for seed in SEEDS:
            around = max(1, round(typical * draw(st.floats(0.7, 1.4))))
            table[point(number), seed] = draw(st.sampled_from([around, around, around, NEVER]))
    return standings, table


def raced(case: tuple[list[Standing], dict[tuple[Point, int], int]]) -> tuple[Verdict, Known]:
    """Run a race to its end."""
    standings, table = case
    known = Known(table)
    race = Race(standings, SEEDS, HORIZON)
    race.run(known.advance)
    return Verdict.of(standings, race.spread()), known


@examples(40)
@given(fields())
def test_what_is_ruled_out_takes_longer_than_the_winner(case: Any) -> None:
    """Every point is the winner, overlaps it, is ruled out by numbers that say so, or is censored at the horizon."""
    verdict, _ = raced(case)
    for each in verdict.standings:
        fate, reason = verdict.fate(each)
        low_s, high_s = each.least_s(verdict.spread), each.most_s(verdict.spread)
        assert reason.endswith(".")
        assert low_s <= high_s
        if fate in (Fate.BY_LATENCY, Fate.BY_PILOTS):
            assert low_s > verdict.most_s
        elif fate is Fate.CONTENDER:
            assert low_s <= verdict.most_s <= high_s < math.inf
        elif fate is Fate.CENSORED:
            assert low_s <= verdict.most_s
            assert any(p.reached is None and p.rounds >= HORIZON for p in each.pilots.values())


@examples(40)
@given(fields())
def test_the_race_ends_when_no_pilot_is_of_use(case: Any) -> None:
    """The winner and its contenders have all their seeds, and each pilot stops at its target or at the horizon."""
    verdict, known = raced(case)
    for each in verdict.standings:
        if verdict.fate(each)[0] in (Fate.WINNER, Fate.CONTENDER):
            assert sorted(each.pilots) == sorted(SEEDS)
            assert len(each.reached) == len(SEEDS)
    for each in verdict.standings:
        for seed, pilot in each.pilots.items():
            assert pilot.rounds <= min(HORIZON, known.rounds[each.point, seed])


@examples(40)
@given(fields())
def test_pilots_only_go_forward(case: Any) -> None:
    """A pilot's slices get longer and longer, and none is asked for behind its target."""
    _, known = raced(case)
    done: dict[tuple[Point, int], int] = {}
    for each in known.asked:
        key = each.point, each.seed
        assert done.get(key, 0) < each.rounds <= HORIZON
        assert done.get(key, 0) < known.rounds[key]
        done[key] = each.rounds


@examples(40)
@given(fields())
def test_the_certificate_holds_if_the_rounds_lie_in_the_intervals(case: Any) -> None:
    """Where each point's typical rounds lie in its interval, none is sooner than is told, nor the winner later."""
    verdict, known = raced(case)
    for each in verdict.standings:
        logs = [math.log(known.rounds[each.point, seed]) for seed in SEEDS]
        typical, interval = math.exp(sum(logs) / len(logs)), each.interval(verdict.spread)
        if interval.low <= typical <= interval.high:
            assert each.latency.least_s(typical) >= verdict.least_s * (1 - 1e-12)
            if each is verdict.winner:
                assert each.latency.most_s(typical) <= verdict.most_s * (1 + 1e-12)


def test_nobody_who_gets_there_wins_by_guess() -> None:
    """Where no seed reaches the target within the horizon there is no winner, and every point is censored."""
    case = [Standing(point(k), Flat(1.0 + k, 1.0 + k)) for k in range(3)]  # type: ignore[arg-type]
    verdict, _ = raced((case, {(point(k), seed): NEVER for k in range(3) for seed in SEEDS}))
    assert verdict.winner is None
    assert {verdict.fate(each)[0] for each in verdict.standings} == {Fate.CENSORED}


def test_a_point_whose_first_round_is_too_long_is_never_trained() -> None:
    """What one round of a point takes longer than another's whole training needs no pilot."""
    case = [Standing(point(0), Flat(1.0, 1.0)), Standing(point(1), Flat(1e4, 1e4))]  # type: ignore[arg-type]
    verdict, _ = raced((case, {(point(k), seed): 20 for k in range(2) for seed in SEEDS}))
    assert verdict.fate(case[1])[0] is Fate.BY_LATENCY
    assert case[1].pilots == {}


def test_it_spares_most_of_the_rounds() -> None:
    """Over grids as wide as real ones, pilots take under 30 % of what every seed of every point would."""
    shares = []
    for trial in range(10):
        rng = np.random.default_rng(trial)
        standings, table = [], {}
        for number in range(60):
            round_s = float(np.exp(rng.normal(-2, 0.7)))
            standings.append(Standing(point(number), Flat(round_s, round_s)))  # type: ignore[arg-type]
            typical = np.exp(rng.normal(4.5, 0.8))
            for seed in SEEDS:
                table[point(number), seed] = max(1, int(typical * np.exp(rng.normal(0, 0.15))))
        raced((standings, table))
        whole = sum(min(rounds, HORIZON) for rounds in table.values())
        shares.append(sum(each.rounds for each in standings) / whole)
    assert np.mean(shares) < 0.3


@given(st.lists(st.floats(1, 1e4), min_size=1, max_size=6))
def test_intervals_hold_what_they_are_made_from(reached: list[float]) -> None:
    """The interval lies around the geometric mean, one more seed's around that, and knowing less lowers its end."""
    spread = Spread()
    found, single = spread.interval(reached), spread.single(reached)
    assert found.typical is not None
    assert single[0] <= found.low <= found.typical * (1 + 1e-12)
    assert found.typical * (1 - 1e-12) <= found.high <= single[1]
    assert spread.least([max(value / 2, 1.0) for value in reached]) <= spread.least(reached)


def test_intervals_cover_as_often_as_they_say() -> None:
    """With the spread pooled over many points, 90 % of the intervals hold the true typical number of rounds."""
    rng, truth, covered = np.random.default_rng(5), math.log(80.0), 0
    for _ in range(300):
        groups = np.exp(rng.normal(truth, 0.2, (10, 3)))
        found = Spread.pooled([list(group) for group in groups]).interval(list(groups[0]))
        covered += found.low <= math.exp(truth) <= found.high
    assert 0.86 <= covered / 300 <= 0.98
