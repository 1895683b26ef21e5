"""One training, kept in a folder or not: set up, trained to an end of any kind, and gone on with."""

from __future__ import annotations

from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.training_document import TrainingDocument, TrainingStop
from epsl_opt.training.folder import FolderState, TrainingFolder
from epsl_opt.training.run import Listener, TrainingRun, train
from epsl_opt.training.setup import TrainingSetup
from epsl_opt.training.summary import summarise_training


def open_training(setup: TrainingSetup, folder: TrainingFolder | None = None, *, resume: bool = False) -> TrainingRun:
    """Set a training up, in a folder if there is one; to resume is to go on from its checkpoint, or to begin.

    Raises
    ------
    InputError
        If anything in the plan or the options does not work, or what is in the folder is of another training.
    """
    run = TrainingRun(setup)
    if folder is not None and resume and folder.state is FolderState.HELD:
        folder.restore(run)
    elif folder is not None:
        folder.claim()
        folder.begin(run, summarise_training(run, TrainingStop.INTERRUPTED))
    return run


def run_training(
    run: TrainingRun,
    folder: TrainingFolder | None = None,
    *,
    listener: Listener | None = None,
    stop_request: StopRequest | None = None,
) -> TrainingDocument:
    """Train to an end of any kind, keeping what was reached in the folder, and return the summary (see `train`)."""

    def save(run: TrainingRun) -> None:
        if folder is not None:
            folder.save(run, summarise_training(run, TrainingStop.INTERRUPTED))

    stop = train(run, save=save, listener=listener, stop_request=stop_request)
    summary = summarise_training(run, stop)
    return summary if folder is None else folder.save(run, summary)
