"""The comparison of plans with the best in hindsight, on trainings whose rounds are known."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import plan_hindsight
from benchmarks.plan_grids import GRIDS, SEEDS, TUNED_ON
from benchmarks.plan_hindsight import Row, _judged, read_rounds, replay, summary, write_rounds
from epsl_opt.core.framework import Framework
from epsl_opt.planning.point import Point
from epsl_opt.planning.race import Slice
from epsl_opt.planning.standing import Pilot

POINTS = [Point(Framework.PSL, 0.0, f"cut{k}", 4) for k in range(3)]


def latency(round_s: float) -> Any:
    """Return rounds that all take so long."""
    return SimpleNamespace(
        round_s=round_s,
        timing=SimpleNamespace(simulated_time_s=lambda rounds: rounds * round_s),
        least_s=lambda rounds: rounds * round_s,
        most_s=lambda rounds: rounds * round_s,
        rounds_within=lambda time_s: int(time_s / round_s) + 1,
    )


def test_the_best_in_hindsight_is_that_of_all_trainings() -> None:
    """Times are means over the seeds, and a point with a seed that did not get there has none."""
    rounds = [(20, 22, 21), (40, 41, 39), (5, 6, None)]
    table = {
        (point, seed): Pilot(n or 90, n)
        for point, own in zip(POINTS, rounds, strict=True)
        for seed, n in zip(SEEDS, own, strict=True)
    }
    found = _judged("x", dict(zip(POINTS, map(latency, (1.0, 1.0, 1.0)), strict=True)), 90, table)
    assert found.best_s == pytest.approx(21)
    assert found.ratio == pytest.approx(1)
    assert 0 < found.share <= 1
    assert found.holds


def test_replayed_pilots_show_no_more_than_was_trained() -> None:
    """Before its end a training is on its way; from then on it is as it ended."""
    table = {(POINTS[0], 0): Pilot(7, 7), (POINTS[1], 0): Pilot(4, diverged=True)}
    asked = [Slice(POINTS[0], 0, 6), Slice(POINTS[0], 0, 7), Slice(POINTS[1], 0, 3), Slice(POINTS[1], 0, 9)]
    found = replay(table, asked)
    assert [found[each] for each in asked] == [Pilot(6), Pilot(7, 7), Pilot(3), Pilot(4, diverged=True)]


def test_rounds_are_kept_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is read back, for every target."""
    monkeypatch.setattr(plan_hindsight, "ROUNDS", tmp_path / "rounds")
    learning = GRIDS[0]
    first, second, *_ = learning.grid.points()
    ends = {(first, 0): Pilot(7, 7), (first, 1): Pilot(90), (second, 2): Pilot(3, diverged=True)}
    tables = dict.fromkeys(learning.targets, ends)
    write_rounds(learning, tables)
    assert read_rounds(learning) == tables


def test_the_summary_counts_what_it_was_not_tuned_on() -> None:
    """Settings that the planner was tried on, and those in which nothing gets there, are left out."""
    rows = [
        Row(TUNED_ON[0], 9, 5.0, 1.0, 0.9, False),
        Row("a", 9, 1.05, 1.0, 0.2, True),
        Row("b", 9, 2.0, 1.0, 0.4, False),
        Row("c", 9, math.nan, math.inf, 1.0, True),
    ]
    text = summary(rows)
    assert text.startswith("Over 2 settings")
    assert "in 1 (50 %)" in text
    assert "30 % of all rounds on average, 40 % at most" in text
    assert "contradicted in 1." in text
