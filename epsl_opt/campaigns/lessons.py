"""Trainings, as a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from epsl_opt.campaigns.campaign import Campaign
from epsl_opt.campaigns.engines import Engine, Failed, Outcomes, Task, run_tasks
from epsl_opt.campaigns.lesson import Files, Learning, Lesson, learn_apart
from epsl_opt.campaigns.store import Results
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.training_document import TrainingDocument, TrainingStop
from epsl_opt.training.run import TrainingRun


class TrainingObserver(Protocol):
    """Who wants to know how the trainings get on."""

    def start(self, label: str, rounds: int, request: StopRequest) -> None:
        """Hear that another training begins."""

    def listen(self, run: TrainingRun) -> None:
        """Hear of a round that is done."""


class Lessons(Campaign[Lesson, tuple[Learning, Files], Learning]):
    """The trainings of a campaign, each kept in a folder of its own in `folder`; in this process every round is heard.

    Raises
    ------
    InputError
        If anything does not work in this process.
    """

    def __init__(
        self,
        lessons: Mapping[str, Lesson],
        folder: Path | None,
        observer: TrainingObserver | None,
        request: StopRequest,
        engine: Engine,
    ) -> None:
        kept = None if folder is None else Results(folder, TrainingDocument, "training", "*/summary.json")
        super().__init__(lessons, kept, engine)
        self._observer, self._request = observer, request

    def load(self, key: str, job: Lesson) -> Learning | None:
        """Return what was learned to its end."""
        return job.finished()

    def make(self, left: Mapping[str, Lesson]) -> Outcomes[tuple[Lesson, Files], tuple[Learning, Files]]:
        """Learn; where files are not shared, they are sent."""
        apart = not self.engine.shares_files
        tasks = [Task(key, lesson.label, (lesson, lesson.files() if apart else {})) for key, lesson in left.items()]
        beside = learn_apart if apart else _learn
        return run_tasks(self._learn_here if self.here else beside, tasks, self.engine)

    def keep(self, key: str, value: tuple[Learning, Files]) -> Learning | None:
        """Put files that were sent back into the folder; the others are there."""
        learning, files = value
        if files:
            self.jobs[key].keep(files)
        return None if learning[0].stop_reason == TrainingStop.INTERRUPTED else learning

    def tell(self, failure: str = "") -> None:
        """Say how many are done, where none can be heard."""
        if self._observer is not None and not self.here:
            self._observer.start(f"{self.done} of {len(self.jobs)} trainings", 0, self._request)

    def fail(self, task: Task[object], failure: Failed) -> None:
        """Let an error of this process through: it is the user's."""
        if failure.error is not None:
            raise failure.error
        super().fail(task, failure)

    def _learn_here(self, asked: tuple[Lesson, Files]) -> tuple[Learning, Files]:
        lesson, _ = asked
        if self._observer is None:
            return lesson.learn(None, self._request), {}
        self._observer.start(f"[{self.done + 1}/{len(self.jobs)}] {lesson.label}", lesson.goal.rounds, self._request)
        return lesson.learn(self._observer.listen, self._request), {}


def _learn(asked: tuple[Lesson, Files]) -> tuple[Learning, Files]:
    return asked[0].learn(), {}
