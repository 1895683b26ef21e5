"""One training of a campaign: found finished in its folder, gone on with, or begun; here or on another machine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from epsl_opt.core.defaults import DEFAULT_CHECKPOINT_EVERY
from epsl_opt.core.errors import InputError
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.json_files import prepare_folder, write_bytes
from epsl_opt.files.stored_record import load_stored
from epsl_opt.files.training_document import TrainingDocument, TrainingStop, refuse_differences
from epsl_opt.files.training_records import RoundRecord
from epsl_opt.plugins.backend import TrainingBackend
from epsl_opt.training.cases import TrainingCase
from epsl_opt.training.files import open_training, run_training
from epsl_opt.training.folder import TrainingFolder
from epsl_opt.training.run import Listener, TrainingGoal, TrainingRun, plan_reference

log = logging.getLogger(__name__)

_AGAIN = "training again what it should hold"

FoundT = TypeVar("FoundT")

Learning = tuple[TrainingDocument, Sequence[RoundRecord]]

Files = Mapping[str, bytes]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What to train, how long, and the folder that keeps it; nothing is kept if None."""

    case: TrainingCase
    backend: TrainingBackend[Any]
    goal: TrainingGoal
    folder: Path | None = None
    checkpoint_every: int = DEFAULT_CHECKPOINT_EVERY

    @property
    def label(self) -> str:
        """What it is, for the user."""
        plan = self.case.plan
        return f"{self.case.method} on {plan.instance.name}, cut {plan.schedule.cut_layer}, seed {plan.seed}"

    def finished(self) -> Learning | None:
        """Return what is in the folder, if it was trained to its end; a damaged file is a warning."""
        place = self._place()
        summary = None if place is None else load_stored(TrainingDocument, place.summary, self._refuse_foreign, _AGAIN)
        if place is None or summary is None or summary.stop_reason == TrainingStop.INTERRUPTED:
            return None
        records = _unless_damaged(lambda: place.read_records(summary))
        return None if records is None else (summary, records)

    def learn(self, listener: Listener | None = None, request: StopRequest | None = None) -> Learning:
        """Train to an end of any kind; go on where the folder is, if it was begun.

        Raises
        ------
        InputError
            If anything in the plan or the options does not work, or the folder can't be written to.
        """
        run = self._open()
        found = run_training(
            run,
            self.goal,
            self._place(),
            checkpoint_every=self.checkpoint_every,
            listener=listener,
            request=request,
        )
        return found, run.records

    def files(self) -> Files:
        """Return what is in the folder, to go on elsewhere."""
        if self.folder is None or not self.folder.is_dir():
            return {}
        found = [path for path in sorted(self.folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
        return {path.name: path.read_bytes() for path in found}

    def keep(self, files: Files) -> None:
        """Put into the folder what was trained elsewhere."""
        if self.folder is not None:
            prepare_folder(self.folder)
            for name in sorted(files, key=_summary_last):
                write_bytes(self.folder / name, files[name])

    def _place(self) -> TrainingFolder | None:
        return None if self.folder is None else TrainingFolder(self.folder, self.backend.checkpoint_suffix)

    def _refuse_foreign(self, found: TrainingDocument) -> None:
        """Raise if a summary is of another training; it may have run under another schedule of the same cut layer."""
        asked = plan_reference(self.case.plan, self.backend, self.case.options)
        same = asked.model_copy(update={"schedule_sha256": found.schedule.sha256})
        refuse_differences(Path(self.folder or ""), found.plan.differences(same))

    def _open(self) -> TrainingRun:
        """Go on with the training in the folder, under the schedule it was begun with, or begin it."""
        case, place = self.case, self._place()

        def resume(folder: TrainingFolder) -> TrainingRun:
            self._refuse_foreign(folder.read_summary())
            document = folder.read_schedule()
            plan = replace(case.plan, schedule=document.schedule() or case.plan.schedule)
            return open_training(self.backend, case.options, plan, document, self.goal, folder, resume=True)

        begun = place is not None and place.summary.exists() and _reads(place.read_summary)
        resumed = _unless_damaged(lambda: resume(place)) if place is not None and begun else None
        return resumed or open_training(self.backend, case.options, case.plan, case.document, self.goal, place)


def learn_apart(asked: tuple[Lesson, Files]) -> tuple[Learning, Files]:
    """Train where the caller's files can't be seen: files go in and come back by value."""
    lesson, files = asked
    if lesson.folder is None:
        return lesson.learn(), {}
    with TemporaryDirectory(prefix="epsl-opt-") as scratch:
        apart = replace(lesson, folder=Path(scratch))
        apart.keep(files)
        learning = apart.learn()
        return learning, apart.files()


def _summary_last(name: str) -> tuple[bool, str]:
    """Sort files so that a folder that has a summary has all."""
    return name.startswith("summary"), name


def _reads(read: Callable[[], object]) -> bool:
    """Return whether a file is good; `finished` has told if it is not."""
    try:
        read()
    except InputError:
        return False
    return True


def _unless_damaged(read: Callable[[], FoundT]) -> FoundT | None:
    """Return what is read from a training's folder; None, with a warning, if a file there is no good."""
    try:
        return read()
    except InputError as error:
        log.warning("%s; %s", error, _AGAIN)
        return None
