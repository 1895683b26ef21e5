"""One training, kept in a folder or not: set up, trained to an end of any kind, and gone on with."""

from __future__ import annotations

from typing import Any

from epsl_opt.core.defaults import DEFAULT_CHECKPOINT_EVERY
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.training_document import TrainingDocument, TrainingStop
from epsl_opt.plugins.backend import TrainingBackend, TrainingOptions, TrainingPlan
from epsl_opt.training.folder import FolderState, TrainingFolder
from epsl_opt.training.run import Listener, TrainingGoal, TrainingRun, train
from epsl_opt.training.summary import summarise_training


def open_training(
    backend: TrainingBackend[Any],
    options: TrainingOptions,
    plan: TrainingPlan,
    schedule: ScheduleDocument,
    goal: TrainingGoal,
    folder: TrainingFolder | None = None,
    *,
    resume: bool = False,
) -> TrainingRun:
    """Set a training up, in a folder if there is one; to resume is to go on from its checkpoint, or to begin.

    Raises
    ------
    InputError
        If anything in the plan or the options does not work, or what is in the folder is of another training.
    """
    run = TrainingRun(backend, options, plan, schedule)
    if folder is not None and resume and folder.state is FolderState.HELD:
        folder.restore(run)
    elif folder is not None:
        folder.claim()
        folder.begin(run, summarise_training(run, goal, TrainingStop.INTERRUPTED))
    return run


def run_training(
    run: TrainingRun,
    goal: TrainingGoal,
    folder: TrainingFolder | None = None,
    *,
    checkpoint_every: int = DEFAULT_CHECKPOINT_EVERY,
    listener: Listener | None = None,
    request: StopRequest | None = None,
) -> TrainingDocument:
    """Train to an end of any kind, keeping what was reached in the folder, and return the summary (see `train`)."""

    def save(run: TrainingRun) -> None:
        if folder is not None:
            folder.save(run, summarise_training(run, goal, TrainingStop.INTERRUPTED))

    stop = train(run, goal, save=save, checkpoint_every=checkpoint_every, listener=listener, request=request)
    summary = summarise_training(run, goal, stop)
    return summary if folder is None else folder.save(run, summary)
