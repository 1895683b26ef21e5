"""Pieces that the studies of solvers share: values by seed, nearness, rounds of the frameworks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import instances

from epsl_opt import Instance, solve
from epsl_opt.core.frameworks import round_latencies_s
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.registry import SOLVERS as REGISTERED
from epsl_opt.plugins.registry import names
from epsl_opt.plugins.study import Cell, Verdict
from epsl_opt.report.intervals import Interval, judge_at_least, judge_at_most
from epsl_opt.studies.shared import rows, seeds, solver_runs
from epsl_opt.studies.shared.framework_rounds import framework_rounds_s, with_model_upload
from epsl_opt.studies.shared.judging import excess, judge_near

POSITIVE = st.floats(1e-3, 1e3)
BY_SEED = st.dictionaries(st.integers(0, 9), POSITIVE, max_size=8)


@given(mine=BY_SEED, theirs=BY_SEED)
def test_only_seeds_of_both_are_compared(mine: dict[int, float], theirs: dict[int, float]) -> None:
    """A ratio and a difference are those of the seeds that both sides have; without any, every claim is left open."""
    common = mine.keys() & theirs.keys()
    ratio, difference = seeds.ratio(mine, theirs), seeds.difference(mine, theirs)
    assert ratio.n == difference.n == len(common)
    if common:
        assert ratio.mean == pytest.approx(math.prod(mine[s] / theirs[s] for s in common) ** (1 / len(common)))
        assert difference.mean == pytest.approx(sum(mine[s] - theirs[s] for s in common) / len(common), abs=1e-9)
    else:
        for judge in (judge_at_least, judge_at_most):
            assert judge(ratio, 1.0) is judge(difference, 0.0) is Verdict.OPEN


@given(settings_=st.lists(BY_SEED, min_size=1, max_size=4))
def test_a_seed_counts_once_over_settings(settings_: list[dict[int, float]]) -> None:
    """Over settings each seed that has them all counts as one value, between its least and its largest."""
    for geometric in (False, True):
        found = seeds.over_settings(settings_, geometric=geometric)
        assert set(found) == set.intersection(*map(set, settings_))
        for seed, value in found.items():
            of_seed = [each[seed] for each in settings_]
            assert min(of_seed) * (1 - 1e-9) <= value <= max(of_seed) * (1 + 1e-9)


@given(values=BY_SEED, ends=st.sampled_from([None, "", "y"]))
def test_an_interval_comes_back_from_its_cells(values: dict[int, float], ends: str | None) -> None:
    """What `columns` lays out as cells, `interval_of` reads back, unknown ends and missing means included."""
    interval = seeds.mean(values)
    found = rows.interval_of(rows.columns(interval, "x", ends) | {"draws": interval.n}, "x", ends)
    assert repr(found) == repr(interval)


def test_empty_cells_and_other_rows_are_left_out() -> None:
    """Values by seed are those of the rows that match and hold one."""
    table = [
        {"seed": 0, "solver": "a", "gap": 0.5},
        {"seed": 1, "solver": "a", "gap": None},
        {"seed": 2, "solver": "a"},
        {"seed": 3, "solver": "b", "gap": 0.7},
    ]
    assert seeds.by_seed(table, "gap", solver="a") == {0: 0.5}


CELL = st.sampled_from([None, 0, 1, 1.0, "a", "b"])
ROWS = st.lists(st.fixed_dictionaries({"x": CELL, "y": CELL}, optional={"z": CELL}), max_size=8)


@given(table=ROWS, wanted=st.dictionaries(st.sampled_from("xyz"), CELL))
def test_an_index_finds_what_a_search_finds(table: list[dict[str, Cell]], wanted: dict[str, Cell]) -> None:
    """Indexed rows give the same rows as a search through them, in the same order, however often they are asked."""
    indexed = rows.IndexedRows(table)
    assert list(indexed) == table
    for _ in range(2):
        assert rows.select(indexed, **wanted) == rows.select(table, **wanted)


@pytest.mark.parametrize(
    ("gap", "sure", "verdict"),
    [(0.005, 0.0, Verdict.HOLDS), (0.05, 0.04, Verdict.FAILS), (0.05, 0.0, Verdict.OPEN)],
)
def test_only_better_schedules_refute_nearness(gap: float, sure: float, verdict: Verdict) -> None:
    """A small gap proves nearness, a better schedule refutes it, and a bound that is merely far leaves it open."""
    assert judge_near(Interval(gap, gap, gap, 5), Interval(sure, sure, sure, 5)) is verdict


def test_excess_is_over_the_best_schedule_of_each_seed() -> None:
    """How much shorter a round could surely be is told by the best solver on the same draw."""
    mine = {0: 4.0, 1: 5.0}
    assert excess(mine, [mine, {0: 2.0}, {1: 6.0}]) == {0: 0.5, 1: 0.0}


def test_every_solver_is_studied_or_left_out_with_a_reason() -> None:
    """No solver of this project is forgotten by the studies."""
    ours = {name for name in names(REGISTERED) if not name.startswith("toy")}
    assert ours == {*solver_runs.SOLVERS, *solver_runs.LEFT_OUT}


def _best(instance: Instance) -> Schedule:
    schedule = solve(instance, "brute-force").schedule
    assert schedule is not None
    return schedule


@settings(max_examples=20, deadline=None)
@given(instance=instances(max_clients=3, max_subchannels=4))
def test_each_framework_has_resources_managed_for_it(instance: Instance) -> None:
    """No framework's round is longer than under PSL's or EPSL's best schedule, nor SFL's shorter than PSL's."""
    found = framework_rounds_s(instance, _best)
    plain = instance.with_training(aggregation_ratio=0.0)
    for schedule in (_best(instance), _best(plain)):
        there = round_latencies_s(instance, schedule)
        for name, same in (("EPSL", "EPSL"), ("PSL", "PSL"), ("SFL", "SFL"), ("SL", "vanilla SL")):
            assert found[name] <= there[same] * (1 + 1e-9)
    assert found["SFL"] >= found["PSL"] * (1 - 1e-9)


@settings(max_examples=20, deadline=None)
@given(instance=instances(max_clients=2, max_subchannels=4))
def test_sending_the_model_along_is_a_bound_on_sfl(instance: Instance) -> None:
    """Under one schedule a round with the model sent along with the smashed data is no longer than SFL's."""
    schedule = _best(instance.with_training(aggregation_ratio=0.0))
    loaded = with_model_upload(instance.with_training(aggregation_ratio=0.0))
    along_s = round_latencies_s(loaded, schedule)["PSL"]
    assert along_s <= round_latencies_s(instance, schedule)["SFL"] * (1 + 1e-9)
