"""When a training is at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from epsl_opt.core.defaults import DEFAULT_EVALUATE_EVERY, DEFAULT_ROUNDS
from epsl_opt.files.training_document import TrainingStop
from epsl_opt.files.training_records import RoundRecord, first_reaching


@dataclass(frozen=True)
class TrainingGoal:
    """When a training is at its end.

    Parameters
    ----------
    rounds
        At most so many.
    target_accuracy
        End at the first evaluated round with at least this test accuracy, if given.
    evaluate_every
        Evaluate each so many rounds; the last round is evaluated always.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    rounds: int = DEFAULT_ROUNDS
    target_accuracy: float | None = None
    evaluate_every: int = DEFAULT_EVALUATE_EVERY

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"rounds must be at least 1, got {self.rounds}")
        if self.target_accuracy is not None and not 0 <= self.target_accuracy <= 1:
            raise ValueError(f"target_accuracy must be from 0 to 1, got {self.target_accuracy}")
        if self.evaluate_every < 1:
            raise ValueError(f"evaluate_every must be at least 1, got {self.evaluate_every}")

    def evaluates(self, number: int) -> bool:
        """Return whether this round is evaluated."""
        return number % self.evaluate_every == 0 or number == self.rounds

    def reached(self, records: Sequence[RoundRecord]) -> TrainingStop | None:
        """Return why these rounds are enough, or None if they are not."""
        if self.target_accuracy is not None and first_reaching(records, self.target_accuracy) is not None:
            return TrainingStop.TARGET_ACCURACY
        enough = len(records) >= self.rounds and records[-1].test_accuracy is not None
        return TrainingStop.ROUNDS if enough else None
