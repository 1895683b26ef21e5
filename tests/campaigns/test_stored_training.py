"""A training of a campaign goes on wherever it is sent."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest
from training_toys import ToySession, toy_setup

from epsl_opt.campaigns.stored_training import StoredTraining, train_apart
from epsl_opt.core.stop_request import deferred_interrupt
from epsl_opt.files.training_document import TrainingStop
from epsl_opt.training.goal import TrainingGoal


@pytest.fixture
def training(tmp_path: Path) -> StoredTraining:
    """Twenty rounds of the toy, to be kept."""
    return StoredTraining(toy_setup(goal=TrainingGoal(20), checkpoint_every=5), tmp_path / "kept")


def learned(training: StoredTraining) -> list[tuple[int, float, float | None]]:
    """Return what a finished training learned round by round, times apart."""
    found = training.finished()
    assert found is not None
    return [(record.round, record.train_loss, record.test_accuracy) for record in found[1]]


def test_a_training_goes_on_where_its_files_are_sent(
    training: StoredTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped here and gone on with elsewhere, by value, it does the remaining rounds and ends as if never stopped."""
    whole = replace(training, path=tmp_path / "whole")
    whole.train()
    rounds: list[int] = []

    def note(number: int) -> None:
        rounds.append(number)
        if number == 12 and len(rounds) == 12:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ToySession, "before_round", staticmethod(note))
    with deferred_interrupt() as request:
        assert training.train(stop_request=request).summary.stop_reason == TrainingStop.INTERRUPTED
    assert training.finished() is None
    (summary, _), files = train_apart((training, training.files()))
    assert summary.stop_reason == TrainingStop.ROUNDS
    assert rounds == list(range(1, 21))
    assert training.finished() is None
    training.keep(files)
    assert learned(training) == learned(whole)
    assert set(training.files()) == set(whole.files())


def test_nothing_is_kept_without_a_folder(training: StoredTraining) -> None:
    """Where nothing is to be kept, the same is learned and no file comes back."""
    (summary, records), files = train_apart((replace(training, path=None), {}))
    training.train()
    assert files == {}
    assert summary.rounds == 20
    assert [(record.round, record.train_loss, record.test_accuracy) for record in records] == learned(training)
