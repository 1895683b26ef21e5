"""The study of dynamics evaluates what it says, and its verdicts follow from the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

from epsl_opt.core.checker import check
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.latency import round_latency
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.study import Row, StudySize, Verdict
from epsl_opt.solvers.primal.power_control import best_schedule
from epsl_opt.studies.dynamics import DynamicsStudy, cells, resolving, robust
from epsl_opt.studies.dynamics.cells import CHANGES, CONTROLLED, EQUAL, KEPT, POWERS, cell, mean_cell
from epsl_opt.studies.dynamics.resolving import PERIODS, ROUNDS, SOLVERS
from epsl_opt.studies.dynamics.resolving_findings import break_even, net_s
from epsl_opt.studies.dynamics.robust_findings import ANEW, METHODS

MEASURED = {"solve_s", "control_s", "search_s"}


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rounds."""
    monkeypatch.setattr(resolving, "ROUNDS", 4)
    monkeypatch.setattr(resolving, "PERIODS", (1, 2, 4))
    monkeypatch.setattr(robust, "SAMPLED", 6)
    monkeypatch.setattr(robust, "FRESH", 3)


def unmeasured(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows without the times that were measured."""
    return [{column: value for column, value in row.items() if column not in MEASURED} for row in rows]


@pytest.mark.usefixtures("short")
def test_rows_are_what_rounds_take_under_schedules_of_their_age() -> None:
    """Mean, tail and worst are those of each round under the last schedule made; equal points give equal rows."""
    point = {"part": "resolving", "clients": 5, "change": "walking", "seed": 3}
    rows = list(DynamicsStudy().run(point))
    assert len(rows) == len(SOLVERS) * 3 * len(POWERS)
    assert len({frozenset(row) for row in rows}) == 1
    found = {(row["solver"], row["power"], row["every"]): row for row in rows}
    rounds = [cell(5, "walking", 3, n) for n in range(4)]
    made = [cells.solved(instance, "greedy")[0] for instance in rounds]
    kept = [round_latency(rounds[n], made[n - n % 2]).round_latency_s for n in range(4)]
    assert found["greedy", KEPT, 2]["latency_s"] == pytest.approx(np.mean(kept))
    assert found["greedy", KEPT, 2]["worst_s"] == max(kept)
    assert unmeasured(list(DynamicsStudy().run(point))) == unmeasured(rows)


@pytest.mark.usefixtures("short")
def test_power_control_never_loses_and_fresh_schedules_need_none() -> None:
    """Controlling powers anew is at least as good as any other powers, and changes nothing of a fresh schedule."""
    rows = resolving.resolving_rows(5, "fading", 1)
    found = {(row["solver"], row["power"], row["every"]): row["latency_s"] for row in rows}
    for solver, every, power in product(SOLVERS, (1, 2, 4), (KEPT, EQUAL)):
        assert found[solver, CONTROLLED, every] <= found[solver, power, every] * (1 + 1e-9)
    for solver in SOLVERS:
        assert found[solver, CONTROLLED, 1] == pytest.approx(found[solver, KEPT, 1], rel=1e-6)
        assert found["exact", CONTROLLED, 1] <= found[solver, CONTROLLED, 1] * (1 + cells.REL_GAP)


@pytest.mark.parametrize("power", POWERS)
def test_old_schedules_keep_every_constraint(power: str) -> None:
    """A schedule from another round is feasible in this one, wherever its powers come from."""
    schedule, _ = cells.solved(cell(5, "driving", 0, 0), "exact")
    later = cell(5, "driving", 0, 5)
    assert check(later, cells.with_power(later, schedule, power)) == []


@pytest.mark.parametrize("power", robust.POWERS)
def test_decisions_are_evaluated_as_schedules_are(power: str) -> None:
    """The latency of an allocation in a round is that of its schedule with the best, or with equal, powers."""
    rounds = [cell(5, "fading", 2, n) for n in range(3)]
    owners = np.array([np.arange(20) % 5, np.arange(20) // 4])
    found = robust.latencies_s(rounds, 4, owners, power)
    for (i, owner), (n, instance) in product(enumerate(owners), enumerate(rounds)):
        if power == CONTROLLED:
            schedule = best_schedule(instance, cut_costs(instance, 4), 4, owner)
            assert schedule is not None
        else:
            schedule = cells.with_power(instance, Schedule(4, owner, np.zeros(20)), EQUAL)
        assert check(instance, schedule) == []
        assert found[i, n] == pytest.approx(round_latency(instance, schedule).round_latency_s)


def test_moves_hand_one_subchannel_on() -> None:
    """Every client that holds more than one gives one to every other; nobody is left with none."""
    owner = np.array([0, 0, 1, 2, 2, 2])
    moves = robust.handed_on(owner, 3)
    assert len(moves) == 4
    assert {int((move != owner).sum()) for move in moves} == {1}
    assert all(set(move) == {0, 1, 2} for move in moves)
    assert len(robust.handed_on(np.array([0, 1]), 2)) == 0


def test_cautious_gains_are_exceeded_in_nine_rounds_of_ten() -> None:
    """Rayleigh fading exceeds the factor with the probability that is named."""
    mean = mean_cell(5, 0)
    factor = robust.faded(mean).channel.uplink_gain / mean.channel.uplink_gain
    assert math.exp(-factor[0, 0]) == pytest.approx(robust.QUANTILE)
    drawn = np.concatenate([(cell(5, "fading", 0, n).channel.uplink_gain > factor * mean.channel.uplink_gain).ravel()
                            for n in range(40)])  # fmt: skip
    assert np.mean(drawn) == pytest.approx(robust.QUANTILE, abs=0.02)


@pytest.mark.usefixtures("short")
def test_search_is_never_worse_than_where_it_starts() -> None:
    """On the rounds it sees, what the search decides is at least as good as every start and every neighbour."""
    rounds = [cell(5, "fading", 4, n) for n in range(6)]
    starts = [robust.Decision(10, np.arange(20) % 5), robust.Decision(2, np.arange(20) // 4)]
    for power, objective in product(robust.POWERS, robust.OBJECTIVES.values()):
        found = robust.search(rounds, starts, power, objective)

        def value(cut: int, owners: Any, objective: Any = objective, power: str = power) -> float:
            return float(objective(robust.latencies_s(rounds, cut, owners, power)).min())

        best = value(found.cut, found.owner[np.newaxis])
        assert all(best <= value(start.cut, start.owner[np.newaxis]) for start in starts)
        assert best <= value(found.cut, robust.handed_on(found.owner, 5)) * (1 + 1e-9)


@pytest.mark.usefixtures("short")
def test_robust_rows_are_complete_and_repeatable() -> None:
    """Every method has a row for each source of powers, deciding anew has one, and a second run gives the same."""
    point = {"part": "robust", "clients": 5, "change": "fading", "seed": 1}
    rows = list(DynamicsStudy().run(point))
    assert {(row["method"], row["power"]) for row in rows} == {*product(METHODS, robust.POWERS), (ANEW, CONTROLLED)}
    assert len({frozenset(row) for row in rows}) == 1
    anew = next(row for row in rows if row["method"] == ANEW)
    assert all(anew["mean_s"] <= row["mean_s"] * (1 + cells.REL_GAP) for row in rows)
    assert unmeasured(list(DynamicsStudy().run(point))) == unmeasured(rows)


def resolving_made_up(
    latency: Callable[[str, str, int], float], solve_s: float = 0.1, sizes: Sequence[int] = (5, 20)
) -> list[dict[str, Any]]:
    """Return rows of cells in which latency depends on solver, powers and period, a little on the seed."""
    keys = product(sizes, CHANGES, range(4), SOLVERS, POWERS, PERIODS)
    return [
        {"part": "resolving", "clients": clients, "change": change, "seed": seed, "solver": solver, "power": power,
         "every": every, "latency_s": value, "p90_s": 2 * value, "worst_s": 3 * value, "solve_s": solve_s,
         "control_s": 0.001 if power == CONTROLLED else 0.0}
        for clients, change, seed, solver, power, every in keys
        for value in [latency(solver, power, every) * (1 + 0.01 * seed)]
    ]  # fmt: skip


def robust_made_up(latency: dict[str, float]) -> list[dict[str, Any]]:
    """Return rows in which methods have these latencies, up to a factor by seed."""
    cases = [*product(METHODS, robust.POWERS), (ANEW, CONTROLLED)]
    return [
        {"part": "robust", "clients": 5, "change": "fading", "seed": seed, "method": method, "power": power,
         "mean_s": value, "p90_s": 1.5 * value, "cut_layer": "x", "search_s": None}
        for (method, power), seed in product(cases, range(4))
        for value in [latency[method] * (1 + 0.1 * seed)]
    ]  # fmt: skip


def verdicts(rows: Sequence[Row]) -> dict[str, Verdict]:
    """Return the verdict of each claim."""
    section = DynamicsStudy().conclude(rows, StudySize.QUICK)
    assert all(column in row for picture in section.pictures for row in picture.numbers.rows
               for column in picture.numbers.columns)  # fmt: skip
    return {found.claim: found.verdict for found in section.findings}


def about(found: dict[str, Verdict], words: str) -> set[Verdict]:
    """Return the verdicts of the claims with these words."""
    chosen = {verdict for claim, verdict in found.items() if words in claim}
    assert chosen
    return chosen


@pytest.mark.parametrize(("ages", "verdict"), [(True, Verdict.FAILS), (False, Verdict.HOLDS)])
def test_verdicts_on_age_follow_the_rows(ages: bool, verdict: Verdict) -> None:
    """Where old schedules are slow, solving once is not enough and new ones pay; where they are not, the opposite."""
    opposite = Verdict.HOLDS if verdict is Verdict.FAILS else Verdict.FAILS

    def latency(solver: str, power: str, every: int) -> float:
        age = 1 + 0.1 * every if ages else 1.0
        return 4 * age * (3 if power != CONTROLLED and every > 1 and ages else 1) * (1 if solver == "exact" else 1.2)

    found = verdicts(resolving_made_up(latency))
    assert about(found, "a schedule made once is enough") == {verdict}
    assert about(found, "pays against one for all") == {opposite}
    assert about(found, "proving optimality in every round pays") == {Verdict.HOLDS}
    best = "every K = 1 rounds" if ages else f"every K = {ROUNDS} rounds"
    assert sum(best in claim for claim in found) == 6


def test_a_better_schedule_that_takes_too_long_does_not_pay() -> None:
    """Exact loses to bcd where what it saves is less than the time it takes."""
    rows = resolving_made_up(lambda solver, power, every: 4.0 if solver == "exact" else 4.1, sizes=(5,))
    slow = [row | {"solve_s": 0.3} if row["solver"] == "exact" else row for row in rows]
    claim = "proving optimality in every round pays"
    assert about(verdicts(rows), claim) == {Verdict.HOLDS}
    assert about(verdicts(slow), claim) == {Verdict.FAILS}


@pytest.mark.parametrize("aging", [True, False])
def test_who_ages_better_follows_the_rows(aging: bool) -> None:
    """Optimal schedules stay better than greedy's or not, as the rows have it."""
    factor = 2.0 if aging else 0.5

    def latency(solver: str, power: str, every: int) -> float:
        return 4 * (factor if solver == "exact" and every > 1 else 1)

    rows = resolving_made_up(latency, sizes=(5,))
    assert about(verdicts(rows), "stays better than greedy's") == {Verdict.FAILS if aging else Verdict.HOLDS}


def test_break_even_is_where_both_cost_the_same() -> None:
    """If solving takes exactly the break-even time, a schedule every round and one every K rounds cost the same."""
    cell: dict[str, Any] = {"clients": 5, "change": "fading", "solver": "exact"}
    for every in (2, ROUNDS):
        rows = resolving_made_up(lambda solver, power, every: 4 + 0.01 * every)
        seconds = break_even([row for row in rows if row["seed"] == 0], every, cell).mean
        again = resolving_made_up(lambda solver, power, every: 4 + 0.01 * every, seconds)
        assert net_s(again, every=1, **cell)[0] == pytest.approx(net_s(again, every=every, **cell)[0])


def test_robust_verdicts_follow_the_rows() -> None:
    """Robust schedules beat the nominal one and come near deciding anew, or not, as the rows have it."""
    good = {"nominal": 5.0, "cautious": 4.5, "one round": 6.0, "expected": 4.1, "p90": 4.1, ANEW: 4.0}
    found = verdicts(robust_made_up(good))
    assert set(found.values()) == {Verdict.HOLDS}
    bad = {"nominal": 5.0, "cautious": 5.0, "one round": 4.9, "expected": 5.5, "p90": 5.5, ANEW: 4.0}
    assert set(verdicts(robust_made_up(bad)).values()) == {Verdict.FAILS}
    assert len(found) == 6


def test_either_part_alone_is_told() -> None:
    """Rows of one part, or of a single cell, make a section without the rest."""
    study = DynamicsStudy()
    latencies = dict.fromkeys((*METHODS, ANEW), 4.0)
    only_robust = study.conclude(robust_made_up(latencies)[:1], StudySize.QUICK)
    assert [picture.name for picture in only_robust.pictures] == ["robust"]
    rows = [row for row in resolving_made_up(lambda *key: 4.0) if (row["clients"], row["seed"]) == (5, 0)]
    alone = study.conclude([row for row in rows if row["change"] == "walking"], StudySize.QUICK)
    assert [picture.name for picture in alone.pictures] == ["staleness", "worth"]
    judged = [finding.verdict for finding in alone.findings]
    assert set(judged) <= {Verdict.OPEN, Verdict.OBSERVED}
