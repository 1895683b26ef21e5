"""The studies that train: tiny runs of their points, and how they train."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.plugins.registry import load_study
from epsl_opt.plugins.study import Point, Row, Study, StudySize
from epsl_opt.studies.activation import study as activation
from epsl_opt.studies.activation.study import METHODS, ActivationStudy, equal_batch
from epsl_opt.studies.cut_layer import study as cut_layer
from epsl_opt.studies.cut_layer.study import CutLayerStudy
from epsl_opt.studies.frameworks.study import FrameworksStudy
from epsl_opt.studies.phi import study as phi
from epsl_opt.studies.phi.effects import LATENCY_ONLY
from epsl_opt.studies.phi.study import PhiStudy
from epsl_opt.studies.shared.laboratory import StudyBackend
from epsl_opt.studies.shared.settings import PSL, Budget, Setting, epsl
from epsl_opt.studies.shared.trainings import begin, choose_rate, learn
from epsl_opt.training.run import TrainingRun

TINY = Budget(rounds=10, seeds=2, tuning_seeds=1, rates=(0.01,))
SETTING = Setting("digits, mlp", "digits", "mlp:width=8", 0.5, "fc1")
TRAINED = {"seed", "lr", "round_latency_s", "final_accuracy", "rounds_to_target", "time_to_target_s", "total_time_s"}
NAMES = ("phi", "frameworks", "activation", "cut-layer")

CONDITION = {"bandwidth_hz": 10e6, "server_cycles_per_s": 5e9}

POINTS: list[tuple[Study, Point, int]] = [
    (PhiStudy(), {"setting": "digits, mlp", "phi": 1.0, **TINY.to_point()}, 2),
    (PhiStudy(), {"setting": LATENCY_ONLY, "phi": 0.5, "seeds": 2}, 2),
    (FrameworksStudy(), {"setting": "digits, non-IID", "method": "SFL", **TINY.to_point()}, 2 * (1 + 2)),
    (ActivationStudy(), {"part": "gradient", "network": "mlp", "activation": "tanh", "batches": 2, "seed": 1}, 84),
    (
        ActivationStudy(),
        {"part": "training", "network": "mlp", "activation": "relu", "method": "subsampling(1)", **TINY.to_point()},
        2,
    ),
    (CutLayerStudy(), {"part": "latency", "channel": "los", **CONDITION, "seed": 0}, 11),
    (CutLayerStudy(), {"part": "min-cut", "channel": "los", "seed": 0}, 11),
    (
        CutLayerStudy(),
        {"part": "learning", "setting": "digits, mlp", "cut_layer": "fc2", "method": "PSL", **TINY.to_point()},
        2,
    ),
]


@pytest.mark.parametrize(("study", "point", "expected"), POINTS)
def test_a_point_runs_and_repeats(study: Study, point: Point, expected: int) -> None:
    """A point gives the rows it should, equal ones when it is run again."""
    rows = study.run(point)
    assert len(rows) == expected
    assert study.run(point) == rows


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_concluded_from_nothing(name: str) -> None:
    """Without any rows a study still has its setting and its limits."""
    section = load_study(name).conclude([], StudySize.QUICK)
    assert section.setting
    assert section.limits


@pytest.mark.parametrize("name", NAMES)
def test_missing_is_what_the_backend_misses(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study that trains says what to install as the backend does."""
    monkeypatch.setattr(TorchBackend, "missing", lambda self: "torch not installed")
    assert load_study(name).missing() == "torch not installed"


def records(run: TrainingRun, rounds: int = 3) -> list[float]:
    """Return the losses of a few rounds."""
    return [run.session.train_round().train_loss for _ in range(rounds)]


def trained_by(backend: TorchBackend, run: TrainingRun) -> TrainingRun:
    """Return the training as another backend begins it."""
    fitted = run.setup.fitted
    request = replace(fitted.request, backend=backend)
    return TrainingRun(replace(run.setup, fitted=replace(fitted, request=request)))


def test_study_backend_trains_as_the_backend() -> None:
    """Open sessions learn what sessions of the torch backend learn, bit for bit."""
    opened = begin(SETTING, epsl(0.5), 0.01, TINY, 0)
    assert records(opened) == records(trained_by(TorchBackend(), opened))


def test_a_rule_of_its_own_takes_the_place_of_the_options() -> None:
    """With a rule given as an object, training is that of the option of the same name; another rule differs."""
    from epsl_opt.backends.pytorch.aggregation import mean_activation, representative

    run = begin(SETTING, epsl(1.0), 0.01, TINY, 0)

    def with_rule(rule: Callable[..., Any]) -> list[float]:
        return records(trained_by(StudyBackend(rule), run))

    assert with_rule(lambda _: mean_activation) == (plain := records(run))
    assert with_rule(representative) != plain


def test_the_better_rate_is_chosen() -> None:
    """Of a rate that learns and one that hardly moves, tuning takes the first, whatever their order."""
    for rates in ((0.02, 1e-7), (1e-7, 0.02)):
        assert choose_rate(SETTING, PSL, Budget(20, 1, 1, rates)) == 0.02


def test_divergence_counts_as_constant_answers() -> None:
    """A training that leaves the finite numbers is told, and worth the most frequent class."""
    found = learn(SETTING, PSL, 1e30, Budget(10, 1, 0, (1e30,), "sgd"), 0)
    row = found.row(0.5)
    assert row["diverged"] == 1
    assert row["final_accuracy"] == found.session.describe()["majority_rate"]
    assert row["rounds_to_target"] is None


def test_equal_batches_cost_no_more() -> None:
    """PSL on smaller batches backpropagates at most as many rows as EPSL, and one sample more would be too many."""
    for ratio in activation.RATIOS:
        rows = round(ratio * 64) + 5 * (64 - round(ratio * 64))
        assert 5 * equal_batch(ratio) <= rows < 5 * (equal_batch(ratio) + 1)
        assert f"PSL, b = {equal_batch(ratio)}" in METHODS


def test_limited_cut_layers_are_later_ones() -> None:
    """On a real draw, certified schedules keep to the first allowed cut layer, and later limits never are quicker."""
    rows: Sequence[Row] = CutLayerStudy().run({"part": "min-cut", "channel": "auto", "seed": 1})
    assert all(int(row["cut"] or 0) >= int(row["min_cut"] or 0) for row in rows)
    latencies = [float(row["latency_s"] or 0) for row in rows]
    assert all(b >= a * (1 - cut_layer.LIMITS.rel_gap) for a, b in pairwise(latencies))


def test_effort_is_in_the_points() -> None:
    """Quick and full points that share all parameters would share rows: every effort that decides rows is in them."""
    for study in (PhiStudy(), FrameworksStudy()):
        assert all("rounds" in p or p["setting"] == LATENCY_ONLY for p in study.points(StudySize.FULL))
    assert {budget.optimizer for budget in phi.BUDGETS[StudySize.FULL].values()} == {"adam", "sgd"}
    assert Budget.of_point(TINY.to_point()) == TINY
