"""All trainings of a campaign, by an engine; none again that is finished."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from epsl_opt.campaigns.engines import Done, Engine, Task, ThisProcess, run_tasks
from epsl_opt.campaigns.stored_training import StoredTraining, TrainingResult, train_apart
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
class Trained:
    """Results by key; `failed` says why a training came to no end, `reused` counts what was on disk."""

    results: dict[str, TrainingResult] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    reused: int = 0


def train_all(
    trainings: Mapping[str, StoredTraining],
    observer: TrainingObserver | None,
    stop_request: StopRequest,
    engine: Engine,
) -> Trained:
    """Train each to its end; end early if the user asks for it.

    Raises
    ------
    InputError
        If anything does not work in this process.
    EngineError
        If what trains has gone.
    """
    found = Trained({key: kept for key, training in trainings.items() if (kept := training.finished()) is not None})
    found.reused = len(found.results)
    if isinstance(engine, ThisProcess):
        _train_here(trainings, found, observer, stop_request)
    else:
        _train_side_by_side(trainings, found, observer, stop_request, engine)
    return found


def _train_here(
    trainings: Mapping[str, StoredTraining],
    found: Trained,
    observer: TrainingObserver | None,
    stop_request: StopRequest,
) -> None:
    """Train one after the other; the observer hears of every round."""
    for number, (key, training) in enumerate(trainings.items(), start=1):
        if key in found.results:
            continue
        if observer is not None:
            observer.start(
                f"[{number}/{len(trainings)}] {training.label}", training.setup.request.goal.rounds, stop_request
            )
        result = training.train(None if observer is None else observer.listen, stop_request)
        if result.summary.stop_reason == TrainingStop.INTERRUPTED:
            return
        found.results[key] = result


def _train_side_by_side(
    trainings: Mapping[str, StoredTraining],
    found: Trained,
    observer: TrainingObserver | None,
    stop_request: StopRequest,
    engine: Engine,
) -> None:
    """Train in other processes; the observer hears how many are done."""
    left = {key: training for key, training in trainings.items() if key not in found.results}

    def tell() -> None:
        if observer is not None:
            done = len(found.results) + len(found.failed)
            observer.start(f"{done} of {len(trainings)} trainings", 0, stop_request)

    tell()
    apart = not engine.shares_files
    tasks = [
        Task(key, training.label, (training, training.files()) if apart else training) for key, training in left.items()
    ]
    with (
        contextlib.suppress(KeyboardInterrupt),
        contextlib.closing(run_tasks(train_apart if apart else StoredTraining.train, tasks, engine)) as outcomes,
    ):
        for task, outcome in outcomes:
            if not isinstance(outcome, Done):
                found.failed[task.key] = one_line(f"{task.label}: {outcome.message}")
            elif apart:
                result, files = outcome.value
                left[task.key].keep(files)
                found.results[task.key] = result
            else:
                found.results[task.key] = outcome.value
            tell()
