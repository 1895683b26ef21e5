"""The folder of a training: what is in it, what that means, and how it is written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from epsl_opt.core.errors import InputError
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.json_files import prepare_folder, read_schedule, write_record
from epsl_opt.files.stored_record import load_stored, read_stored
from epsl_opt.files.training_document import TrainingDocument, refuse_differences
from epsl_opt.files.training_records import RoundRecord, format_records, read_records
from epsl_opt.files.writing import write_bytes
from epsl_opt.training.checkpoint import checkpoint_metadata, restore_checkpoint
from epsl_opt.training.run import TrainingRun
from epsl_opt.training.setup import TrainingSetup


class FolderState(StrEnum):
    """What a folder holds, as its files tell.

    A start writes instance.json, schedule.json, records.csv without a row, and summary.json, in this order and before
    the first round; each save writes checkpoint, records.csv and summary.json, in this order. Every file is replaced
    whole or stays as it is.
    """

    EMPTY = "empty"
    """No file of a training: one can begin."""
    STARTED = "started"
    """Files of a start that was cut short: no round was trained, so the training begins, with the schedule if there is
    one. A file with anything else in it than such a start writes is somebody else's, and refused."""
    HELD = "held"
    """A summary or a checkpoint: a training to go on with, from the checkpoint; from its beginning if there is none.
    What is beside the checkpoint may be older than it, and is written again."""


@dataclass(frozen=True)
class TrainingFolder:
    """Where a training is kept; every file is replaced whole or stays as it is.

    Parameters
    ----------
    path
        The folder.
    checkpoint_suffix
        The backend's.
    """

    path: Path
    checkpoint_suffix: str

    @property
    def records(self) -> Path:
        """One row a round."""
        return self.path / "records.csv"

    @property
    def summary(self) -> Path:
        """The training in a few numbers."""
        return self.path / "summary.json"

    @property
    def instance(self) -> Path:
        """The instance that was trained on."""
        return self.path / "instance.json"

    @property
    def schedule(self) -> Path:
        """The schedule it ran under."""
        return self.path / "schedule.json"

    @property
    def checkpoint(self) -> Path:
        """All that decides how it goes on."""
        return self.path / f"checkpoint{self.checkpoint_suffix}"

    @property
    def state(self) -> FolderState:
        """What the folder holds."""
        if _any_there(self.summary, self.checkpoint):
            return FolderState.HELD
        if _any_there(self.instance, self.schedule, self.records):
            return FolderState.STARTED
        return FolderState.EMPTY

    def claim(self) -> None:
        """Make the folder, and try that it can be written to.

        Raises
        ------
        InputError
            If not.
        """
        prepare_folder(self.path)

    def find_summary(self, accept: Callable[[TrainingDocument], None], instead: str) -> TrainingDocument | None:
        """Return the summary; None if there is none or, with a warning, if it is damaged (see `load_stored`)."""
        return load_stored(TrainingDocument, self.summary, accept, instead)

    def read_summary(self) -> TrainingDocument:
        """Read the summary of the training that is to go on.

        Raises
        ------
        InputError
            If there is none, or the file is wrong.
        """
        return read_stored(TrainingDocument, self.summary)

    def read_records(self, summary: TrainingDocument) -> list[RoundRecord]:
        """Read the records that a summary was written with.

        Raises
        ------
        InputError
            If they are others, or the file is missing or wrong.
        """
        records = read_records(self.records)
        written = summary.records_sha256 in (None, hashlib.sha256(self.records.read_bytes()).hexdigest())
        if not written or len(records) != summary.rounds:
            raise InputError(str(self.records), f"is not what {self.summary.name} was written with")
        return records

    def read_schedule(self) -> ScheduleDocument:
        """Read the schedule of the training that is to go on.

        Raises
        ------
        InputError
            If the file is missing or wrong.
        """
        return read_schedule(self.schedule)

    def refuse_other(self, setup: TrainingSetup) -> None:
        """Raise unless the training in the folder is this one; without a summary, the checkpoint will tell.

        Raises
        ------
        InputError
            Naming every part that differs.
        """
        if _any_there(self.summary):
            refuse_differences(self.path, self.read_summary().plan.differences(setup.reference))

    def begin(self, run: TrainingRun, summary: TrainingDocument) -> None:
        """Write what makes the folder one that holds a training, before the first round."""
        write_record(self.instance, run.plan.instance)
        write_record(self.schedule, run.setup.document)
        self._write_tables(run, summary)

    def save(self, run: TrainingRun, summary: TrainingDocument) -> TrainingDocument:
        """Write records and summary, and a checkpoint if the session is sound; the last good one stays otherwise.

        Returns the summary as it was written.
        """
        if run.sound:
            write_bytes(self.checkpoint, run.session.save(checkpoint_metadata(run)))
        return self._write_tables(run, summary)

    def restore(self, run: TrainingRun) -> None:
        """Take a run to where the checkpoint left it; to its beginning if there is no checkpoint yet.

        Raises
        ------
        InputError
            If the checkpoint is damaged or of another training.
        """
        if _any_there(self.checkpoint):
            restore_checkpoint(self.checkpoint, run)

    def _write_tables(self, run: TrainingRun, summary: TrainingDocument) -> TrainingDocument:
        records = format_records(run.records, run.timing).encode()
        write_bytes(self.records, records)
        written = summary.model_copy(update={"records_sha256": hashlib.sha256(records).hexdigest()}).sealed()
        write_record(self.summary, written)
        return written


def _any_there(*paths: Path) -> bool:
    return any(os.path.lexists(path) for path in paths)
