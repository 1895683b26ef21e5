"""The folder of a training: records, summary, checkpoint, and the instance and schedule to repeat it with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from epsl_opt.documents import ScheduleDocument
from epsl_opt.errors import InputError
from epsl_opt.files import parse_record, prepare_folder, read_json, read_schedule, write_bytes, write_record
from epsl_opt.record import AsTuple, NonNegativeFloat, Record
from epsl_opt.stop_request import StopRequest
from epsl_opt.training import TrainingBackend, TrainingOptions, TrainingPlan
from epsl_opt.training_document import PlanReference, TrainingDocument, TrainingStop
from epsl_opt.training_records import RoundRecord, check_order, format_records
from epsl_opt.training_run import DEFAULT_CHECKPOINT_EVERY, Listener, TrainingGoal, TrainingRun, plan_reference, train
from epsl_opt.training_summary import summarise_training


class CheckpointMetadata(Record):
    """What the core keeps in a checkpoint beside the backend's own state."""

    format: Literal["epsl-opt/checkpoint"] = "epsl-opt/checkpoint"
    version: Literal[1] = 1
    plan: PlanReference
    real_time_s: NonNegativeFloat
    records: Annotated[tuple[RoundRecord, ...], AsTuple]


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
        """The training in a few numbers; a folder that has it holds a training."""
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

    def refuse_occupied(self) -> None:
        """Raise if the folder has a file that a new training would replace.

        Raises
        ------
        InputError
            Naming the folder or the file.
        """
        if self.summary.exists():
            raise InputError(
                str(self.path), "holds a training already; go on with it by --resume, or take another folder"
            )
        for path in (self.records, self.instance, self.schedule, self.checkpoint):
            if path.exists():
                raise InputError(str(path), "would be replaced; take another folder")

    def claim(self) -> None:
        """Make the folder, and try that it can be written to.

        Raises
        ------
        InputError
            If not.
        """
        prepare_folder(self.path)

    def read_summary(self) -> TrainingDocument:
        """Read the summary of the training that is to go on.

        Raises
        ------
        InputError
            If there is none, or the file is wrong.
        """
        if not self.summary.exists():
            raise InputError(str(self.path), "holds no training to resume (no summary.json)")
        return parse_record(TrainingDocument, read_json(self.summary), str(self.summary))

    def read_schedule(self) -> ScheduleDocument:
        """Read the schedule of the training that is to go on.

        Raises
        ------
        InputError
            If there is no training, or the file is missing or wrong.
        """
        self.read_summary()
        return read_schedule(self.schedule)

    def refuse_other(self, plan: TrainingPlan, backend: TrainingBackend[Any], options: TrainingOptions) -> None:
        """Raise unless the training in the folder is the one planned.

        Raises
        ------
        InputError
            Naming every part that differs.
        """
        found = self.read_summary().plan
        _refuse_differences(self.path, found.differences(plan_reference(plan, backend, options)))

    def begin(self, run: TrainingRun, summary: TrainingDocument) -> None:
        """Write what makes the folder one that holds a training, before the first round."""
        write_record(self.instance, run.plan.instance)
        write_record(self.schedule, run.schedule)
        self._write_tables(run, summary)

    def save(self, run: TrainingRun, summary: TrainingDocument) -> None:
        """Write records and summary, and a checkpoint if the session is sound; the last good one stays otherwise."""
        if run.sound:
            write_bytes(self.checkpoint, run.session.save(_metadata(run)))
        self._write_tables(run, summary)

    def restore(self, run: TrainingRun) -> None:
        """Take a run to where the checkpoint left it; to its beginning if there is no checkpoint yet.

        Raises
        ------
        InputError
            If the checkpoint is damaged or of another training.
        """
        if not self.checkpoint.exists():
            return
        source = str(self.checkpoint)
        try:
            found = run.session.restore(self.checkpoint.read_bytes())
            metadata = parse_record(CheckpointMetadata, json.loads(found), source)
        except InputError as error:
            raise InputError(source, error.problem, error.field) from error
        except (OSError, ValueError) as error:
            raise InputError(source, f"is damaged: {error}") from error
        asked = plan_reference(run.plan, run.backend, run.options)
        _refuse_differences(self.checkpoint, metadata.plan.differences(asked))
        check_order(metadata.records, source)
        run.records, run.real_time_s = list(metadata.records), metadata.real_time_s

    def _write_tables(self, run: TrainingRun, summary: TrainingDocument) -> None:
        write_bytes(self.records, format_records(run.records, run.stages).encode())
        write_record(self.summary, summary)


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
    """Set a training up, in a folder if there is one; to resume is to go on from its checkpoint.

    Raises
    ------
    InputError
        If anything in the plan or the options does not work, or what is in the folder is of another training.
    """
    run = TrainingRun(backend, options, plan, schedule)
    if folder is not None and resume:
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
    if folder is not None:
        folder.save(run, summary)
    return summary


def _refuse_differences(path: Path, differences: list[str]) -> None:
    if differences:
        raise InputError(str(path), f"is of another training: {'; '.join(differences)}")


def _metadata(run: TrainingRun) -> str:
    metadata = CheckpointMetadata(
        plan=plan_reference(run.plan, run.backend, run.options),
        real_time_s=run.real_time_s,
        records=tuple(run.records),
    )
    document: dict[str, Any] = metadata.to_document()
    return json.dumps(document, allow_nan=False)
