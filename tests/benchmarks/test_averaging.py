"""The measurements of averaging: prices, the choice of points, and that some ways to train learn alike."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace

import pytest

pytest.importorskip("torch")

from benchmarks import averaging, averaging_rounds, own_network
from benchmarks.averaging_grids import IID, SETTINGS
from benchmarks.averaging_points import ANY_CUT, Point, Setting, make_setup
from benchmarks.averaging_prices import check_alike, price
from benchmarks.averaging_tables import lead_table
from epsl_opt.campaigns.engines import Engine, ThisProcess
from epsl_opt.campaigns.trainings import train_cases
from epsl_opt.core.framework import Framework

CELL = "paper:clients=3,subchannels=6,seed=1"
EARLY, LATE, SFL = (
    Point(Framework.EPSL, 0.5, 5, "pool2", 0.2),
    Point(Framework.EPSL, 0.5, 5, "fc1", 0.2),
    Point(Framework.SFL, 0.0, None, ANY_CUT, 0.2),
)
FL = replace(SFL, framework=Framework.FL)
SMALL = Setting("small", (CELL, "paper:clients=3,subchannels=6,seed=2"), 0.9, (EARLY, LATE, SFL, FL), rounds=4)


@pytest.mark.parametrize(("framework", "cut"), [(Framework.SFL, "pool1"), (Framework.FL, "fc1")])
def test_splitfed_learns_the_same_at_every_cut_and_as_federated_averaging(framework: Framework, cut: str) -> None:
    """Losses agree up to rounding, so that one training stands for SFL at every cut layer, and for FL."""
    reference = make_setup(SMALL, SFL, 0)
    request = replace(reference.request, framework=framework, cut_layers=(cut,))
    other = replace(
        reference, fitted=request.fit(reference.fitted.source), document=make_setup(SMALL, at(cut), 0).document
    )
    mine, theirs = (case.records for case in train_cases([reference, other]).cases)
    assert [r.train_loss for r in mine] == pytest.approx([r.train_loss for r in theirs], rel=1e-4)


def at(cut: str) -> Point:
    """Return a point that is cut there."""
    return Point(Framework.PSL, 0.0, None, cut, 0.2)


@pytest.mark.parametrize("point", [EARLY, LATE, SFL, FL, replace(SFL, framework=Framework.SL)])
def test_a_price_is_certified_and_is_the_clock_s(point: Point) -> None:
    """The mean round lies within the gap of its bound, and n I rounds take n I times as long."""
    found = price(SMALL, CELL, point)
    assert found.bound_s <= found.mean_s <= found.bound_s / (1 - 2e-3)
    assert found.timing.simulated_time_s(20) == pytest.approx(20 * found.mean_s)


def test_free_cuts_are_never_dearer_than_given_ones() -> None:
    """SplitFed at the cut of its choice takes no longer than at any one."""
    free = price(SMALL, CELL, SFL).mean_s
    given = [price(SMALL, CELL, replace(SFL, cut_layer=cut)).mean_s for cut in ("pool1", "pool2", "fc1")]
    assert free <= min(given) * (1 + 1e-3)


def test_a_point_that_misses_the_target_on_a_seed_never_wins() -> None:
    """However soon the other seeds are there."""
    rounds = {EARLY: {0: 1, 1: None}, LATE: {0: 50, 1: 70}, SFL: {0: None, 1: None}}
    assert averaging_rounds.winners(SMALL, rounds) == {cell: {Framework.EPSL: LATE} for cell in SMALL.cells}
    assert math.isinf(averaging_rounds.typical_s(SMALL, CELL, EARLY, rounds[EARLY]))


def test_only_what_was_given_up_goes_on_and_for_twice_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds that reached the target keep their rounds, so that none is left out of a comparison for being late."""

    def reached(setting: Setting, asked: Iterable[tuple[Point, int]], engine: Engine) -> averaging_rounds.Rounds:
        found: dict[Point, dict[int, int | None]] = {}
        for point, seed in asked:
            found.setdefault(point, {})[seed] = 3 * seed if 3 * seed <= setting.rounds else None
        return found

    monkeypatch.setattr(averaging, "count_rounds", reached)
    found = averaging.count_patiently(SMALL, averaging.product_by_seed([EARLY, LATE], (1, 2, 3)), ThisProcess())
    assert found == {point: {1: 3, 2: 6, 3: None} for point in (EARLY, LATE)}


def test_leads_are_ratios_of_times_paired_by_seed() -> None:
    """With the same rounds on every seed the ratio is that of the prices, and its interval is a point."""
    rounds = {LATE: {10: 20, 11: 40}, SFL: {10: 20, 11: 40}}
    best = {CELL: {Framework.EPSL: LATE, Framework.SFL: SFL}}
    ratio = price(SMALL, CELL, SFL).mean_s / price(SMALL, CELL, LATE).mean_s
    assert lead_table(SMALL, best, rounds).splitlines()[-1].endswith(f"| {ratio:.3g} [{ratio:.3g}, {ratio:.3g}] |")


def test_cells_with_other_clients_are_refused() -> None:
    """Rounds are counted on the first cell only, so all must hold the same samples."""
    with pytest.raises(ValueError, match="clients=4"):
        check_alike(replace(SMALL, cells=(CELL, "paper:clients=4,subchannels=6,seed=1")))
    check_alike(SMALL)


def test_tuning_and_judging_share_no_seed_and_every_framework_has_points() -> None:
    """No winner is judged by what it was chosen for."""
    assert not set(averaging.TUNING_SEEDS) & set(averaging.SEEDS)
    assert len(averaging.SEEDS) >= 10
    assert {point.framework for point in IID.grid} == {
        Framework.EPSL,
        Framework.PSL,
        Framework.SFL,
        Framework.FL,
        Framework.SL,
    }


def test_the_page_has_a_place_for_every_table() -> None:
    """The markers of `docs/averaging.md` are those that the two scripts write."""
    parts = [f"averaging-{setting.name}-{part}" for setting in SETTINGS for part in ("times", "leads", "tuning")]
    found = re.findall(r"<!-- table: (\S+) -->", averaging.PAGE.read_text(encoding="utf-8"))
    assert sorted(found) == sorted([*parts, "own-network", "own-network-latency"])


def test_the_loss_against_splitfed_is_paired_by_seed() -> None:
    """A seed that SplitFed has not finished does not count."""
    way = own_network.WAYS[1]
    curves = {own_network.REFERENCE: {0: [0.5] * 9 + [0.98]}, way: {0: [0.5] * 9 + [0.97], 1: [0.1] * 10}}
    assert own_network.table(curves).splitlines()[-1].endswith("| -1.00 | 0, 1 |")
