"""Trainings, as a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from epsl_opt.campaigns.campaign import Campaign
from epsl_opt.campaigns.engines import Engine, Failed, Outcomes, Task, run_tasks
from epsl_opt.campaigns.store import Results
from epsl_opt.campaigns.stored_training import Files, StoredTraining, TrainingResult, train_apart
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.training_document import TrainingDocument, TrainingStop
from epsl_opt.training.run import TrainingRun


class TrainingObserver(Protocol):
    """Who wants to know how the trainings get on."""

    def start(self, label: str, rounds: int, request: StopRequest) -> None:
        """Hear that another training begins."""

    def listen(self, run: TrainingRun) -> None:
        """Hear of a round that is done."""


class StoredTrainings(Campaign[StoredTraining, tuple[TrainingResult, Files], TrainingResult]):
    """The trainings of a campaign, each kept in a folder of its own in `folder`; in this process every round is heard.

    Raises
    ------
    InputError
        If anything does not work in this process.
    """

    def __init__(
        self,
        trainings: Mapping[str, StoredTraining],
        folder: Path | None,
        observer: TrainingObserver | None,
        stop_request: StopRequest,
        engine: Engine,
    ) -> None:
        kept = None if folder is None else Results(folder, TrainingDocument, "training", "*/summary.json")
        super().__init__(trainings, kept, engine)
        self._observer, self._stop_request = observer, stop_request

    def load(self, key: str, job: StoredTraining) -> TrainingResult | None:
        """Return what was trained to its end."""
        return job.finished()

    def make(
        self, left: Mapping[str, StoredTraining]
    ) -> Outcomes[tuple[StoredTraining, Files], tuple[TrainingResult, Files]]:
        """Train; where files are not shared, they are sent."""
        apart = not self.engine.shares_files
        tasks = [
            Task(key, training.label, (training, training.files() if apart else {})) for key, training in left.items()
        ]
        beside = train_apart if apart else _train
        return run_tasks(self._train_here if self.here else beside, tasks, self.engine)

    def keep(self, key: str, value: tuple[TrainingResult, Files]) -> TrainingResult | None:
        """Put files that were sent back into the folder; the others are there."""
        result, files = value
        if files:
            self.jobs[key].keep(files)
        return None if result.summary.stop_reason == TrainingStop.INTERRUPTED else result

    def tell(self, failure: str = "") -> None:
        """Say how many are done, where none can be heard."""
        if self._observer is not None and not self.here:
            self._observer.start(f"{self.done} of {len(self.jobs)} trainings", 0, self._stop_request)

    def fail(self, task: Task[object], failure: Failed) -> None:
        """Let an error of this process through: it is the user's."""
        if failure.error is not None:
            raise failure.error
        super().fail(task, failure)

    def _train_here(self, asked: tuple[StoredTraining, Files]) -> tuple[TrainingResult, Files]:
        training, _ = asked
        if self._observer is None:
            return training.train(None, self._stop_request), {}
        self._observer.start(
            f"[{self.done + 1}/{len(self.jobs)}] {training.label}",
            training.setup.request.goal.rounds,
            self._stop_request,
        )
        return training.train(self._observer.listen, self._stop_request), {}


def _train(asked: tuple[StoredTraining, Files]) -> tuple[TrainingResult, Files]:
    return asked[0].train(), {}
