"""All trainings of a campaign, by an engine; none again that is finished."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from epsl_opt.campaigns.engines import Done, Engine, Task, ThisProcess, run_tasks
from epsl_opt.campaigns.lesson import Learning, Lesson, learn_apart
from epsl_opt.core.plain_text import one_line
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.training_document import TrainingStop
from epsl_opt.training.run import TrainingRun


class TrainingObserver(Protocol):
    """Who wants to know how the trainings get on."""

    def start(self, label: str, rounds: int, request: StopRequest) -> None:
        """Hear that another training begins."""

    def listen(self, run: TrainingRun) -> None:
        """Hear of a round that is done."""


@dataclass
class Learned:
    """What was learned, by key; `failed` says why a training came to no end, `reused` counts what was on disk."""

    learned: dict[str, Learning] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    reused: int = 0


def learn_all(
    lessons: Mapping[str, Lesson], observer: TrainingObserver | None, request: StopRequest, engine: Engine
) -> Learned:
    """Learn every lesson; end early if the user asks for it.

    Raises
    ------
    InputError
        If anything does not work in this process.
    EngineError
        If what trains has gone.
    """
    found = Learned({key: kept for key, lesson in lessons.items() if (kept := lesson.finished()) is not None})
    found.reused = len(found.learned)
    if isinstance(engine, ThisProcess):
        _learn_here(lessons, found, observer, request)
    else:
        _learn_side_by_side(lessons, found, observer, request, engine)
    return found


def _learn_here(
    lessons: Mapping[str, Lesson], found: Learned, observer: TrainingObserver | None, request: StopRequest
) -> None:
    """Learn one after the other; the observer hears of every round."""
    for number, (key, lesson) in enumerate(lessons.items(), start=1):
        if key in found.learned:
            continue
        if observer is not None:
            observer.start(f"[{number}/{len(lessons)}] {lesson.label}", lesson.goal.rounds, request)
        learning = lesson.learn(None if observer is None else observer.listen, request)
        if learning[0].stop_reason == TrainingStop.INTERRUPTED:
            return
        found.learned[key] = learning


def _learn_side_by_side(
    lessons: Mapping[str, Lesson],
    found: Learned,
    observer: TrainingObserver | None,
    request: StopRequest,
    engine: Engine,
) -> None:
    """Learn in other processes; the observer hears how many are done."""
    left = {key: lesson for key, lesson in lessons.items() if key not in found.learned}

    def tell() -> None:
        if observer is not None:
            done = len(found.learned) + len(found.failed)
            observer.start(f"{done} of {len(lessons)} trainings", 0, request)

    tell()
    apart = not engine.shares_files
    tasks = [Task(key, lesson.label, (lesson, lesson.files()) if apart else lesson) for key, lesson in left.items()]
    with (
        contextlib.suppress(KeyboardInterrupt),
        contextlib.closing(run_tasks(learn_apart if apart else Lesson.learn, tasks, engine)) as outcomes,
    ):
        for task, outcome in outcomes:
            if not isinstance(outcome, Done):
                found.failed[task.key] = one_line(f"{task.label}: {outcome.message}")
            elif apart:
                learning, files = outcome.value
                left[task.key].keep(files)
                found.learned[task.key] = learning
            else:
                found.learned[task.key] = outcome.value
            tell()
