"""A training of a campaign goes on wherever it is sent."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest
from training_toys import ToyBackend, ToySession, ToyTrainingOptions, toy_plan

from epsl_opt.campaigns.lesson import Lesson, learn_apart
from epsl_opt.core.stop_request import deferred_interrupt
from epsl_opt.files.training_document import TrainingStop
from epsl_opt.training.cases import FittedInstance, TrainingCase, Variant
from epsl_opt.training.run import TrainingGoal


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    """Twenty rounds of the toy, to be kept."""
    plan, document = toy_plan()
    fitted = FittedInstance(plan.instance, plan.instance, Variant(plan.framework, None, ToyTrainingOptions()))
    return Lesson(TrainingCase(fitted, document, plan), ToyBackend(), TrainingGoal(20), tmp_path / "kept", 5)


def learned(lesson: Lesson) -> list[tuple[int, float, float | None]]:
    """Return what a finished training learned round by round, times apart."""
    found = lesson.finished()
    assert found is not None
    return [(record.round, record.train_loss, record.test_accuracy) for record in found[1]]


def test_a_training_goes_on_where_its_files_are_sent(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped here and gone on with elsewhere, by value, it does the remaining rounds and ends as if never stopped."""
    whole = replace(lesson, folder=tmp_path / "whole")
    whole.learn()
    rounds: list[int] = []

    def note(number: int) -> None:
        rounds.append(number)
        if number == 12 and len(rounds) == 12:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ToySession, "before_round", staticmethod(note))
    with deferred_interrupt() as request:
        assert lesson.learn(request=request)[0].stop_reason == TrainingStop.INTERRUPTED
    assert lesson.finished() is None
    (summary, _), files = learn_apart((lesson, lesson.files()))
    assert summary.stop_reason == TrainingStop.ROUNDS
    assert rounds == list(range(1, 21))
    assert lesson.finished() is None
    lesson.keep(files)
    assert learned(lesson) == learned(whole)
    assert set(lesson.files()) == set(whole.files())


def test_nothing_is_kept_without_a_folder(lesson: Lesson) -> None:
    """Where nothing is to be kept, the same is learned and no file comes back."""
    (summary, records), files = learn_apart((replace(lesson, folder=None), {}))
    lesson.learn()
    assert files == {}
    assert summary.rounds == 20
    assert [(record.round, record.train_loss, record.test_accuracy) for record in records] == learned(lesson)
