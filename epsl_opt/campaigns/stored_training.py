"""One training of a campaign: found finished in its folder, gone on with, or begun; here or on another machine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

from epsl_opt.core.errors import InputError
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.json_files import prepare_folder
from epsl_opt.files.training_document import TrainingDocument, TrainingStop, refuse_differences
from epsl_opt.files.training_records import RoundRecord
from epsl_opt.files.writing import write_bytes
from epsl_opt.training.files import open_training, run_training
from epsl_opt.training.folder import TrainingFolder
from epsl_opt.training.run import Listener, TrainingRun
from epsl_opt.training.setup import TrainingSetup

log = logging.getLogger(__name__)

_AGAIN = "training again what it should hold"

FoundT = TypeVar("FoundT")

Files = Mapping[str, bytes]


class TrainingResult(NamedTuple):
    """What came of a training."""

    summary: TrainingDocument
    records: Sequence[RoundRecord]


@dataclass(frozen=True, eq=False)
class StoredTraining:
    """A training, and the folder that keeps it; nothing is kept if None."""

    setup: TrainingSetup
    path: Path | None = None

    @property
    def label(self) -> str:
        """What it is, for the user."""
        plan = self.setup.plan
        return f"{self.setup.method} on {plan.instance.name}, cut {plan.schedule.cut_layer}, seed {plan.seed}"

    def finished(self) -> TrainingResult | None:
        """Return what is in the folder, if it was trained to its end; a damaged file is a warning."""
        folder = self._folder()
        if folder is None:
            return None
        summary = folder.find_summary(self._refuse_foreign, _AGAIN)
        if summary is None or summary.stop_reason == TrainingStop.INTERRUPTED:
            return None
        records = _unless_damaged(lambda: folder.read_records(summary))
        return None if records is None else TrainingResult(summary, records)

    def train(self, listener: Listener | None = None, stop_request: StopRequest | None = None) -> TrainingResult:
        """Train to an end of any kind; go on where the folder is, if it was begun.

        Raises
        ------
        InputError
            If anything in the plan or the options does not work, or the folder can't be written to.
        """
        run = self._open()
        summary = run_training(run, self._folder(), listener=listener, stop_request=stop_request)
        return TrainingResult(summary, run.records)

    def files(self) -> Files:
        """Return what is in the folder, to go on elsewhere."""
        if self.path is None or not self.path.is_dir():
            return {}
        found = [path for path in sorted(self.path.iterdir()) if path.is_file() and not path.name.startswith(".")]
        return {path.name: path.read_bytes() for path in found}

    def keep(self, files: Files) -> None:
        """Put into the folder what was trained elsewhere."""
        if self.path is not None:
            prepare_folder(self.path)
            for name in sorted(files, key=_summary_last):
                write_bytes(self.path / name, files[name])

    def _folder(self) -> TrainingFolder | None:
        return None if self.path is None else TrainingFolder(self.path, self.setup.request.backend.checkpoint_suffix)

    def _refuse_foreign(self, found: TrainingDocument) -> None:
        """Raise if a summary is of another training; it may have run under another schedule of the same cut layer."""
        same = self.setup.reference.model_copy(update={"schedule_sha256": found.schedule.sha256})
        refuse_differences(Path(self.path or ""), found.plan.differences(same))

    def _open(self) -> TrainingRun:
        """Go on with the training in the folder, under the schedule it was begun with, or begin it."""
        folder = self._folder()
        summary = None if folder is None else _begun(folder)
        resumed = None
        if folder is not None and summary is not None:
            resumed = _unless_damaged(lambda: self._resume(folder, summary))
        return resumed or open_training(self.setup, folder)

    def _resume(self, folder: TrainingFolder, summary: TrainingDocument) -> TrainingRun:
        self._refuse_foreign(summary)
        begun = replace(self.setup, document=folder.read_schedule(), source=str(folder.schedule))
        return open_training(begun, folder, resume=True)


def train_apart(asked: tuple[StoredTraining, Files]) -> tuple[TrainingResult, Files]:
    """Train where the caller's files can't be seen: files go in and come back by value."""
    training, files = asked
    if training.path is None:
        return training.train(), {}
    with TemporaryDirectory(prefix="epsl-opt-") as scratch:
        apart = replace(training, path=Path(scratch))
        apart.keep(files)
        result = apart.train()
        return result, apart.files()


def _summary_last(name: str) -> tuple[bool, str]:
    """Sort files so that a folder that has a summary has all."""
    return name.startswith("summary"), name


def _begun(folder: TrainingFolder) -> TrainingDocument | None:
    """Return the summary of a training to go on with; `finished` has told if it is damaged."""
    try:
        return folder.read_summary() if folder.summary.exists() else None
    except InputError:
        return None


def _unless_damaged(read: Callable[[], FoundT]) -> FoundT | None:
    """Return what is read from a training's folder; None, with a warning, if a file there is no good."""
    try:
        return read()
    except InputError as error:
        log.warning("%s; %s", error, _AGAIN)
        return None
