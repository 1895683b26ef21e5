"""What a folder has before a training begins in it: nothing, a start that was cut short, a training, or other files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.core.json_record import read_instance
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.json_files import read_schedule
from epsl_opt.files.training_records import read_records
from epsl_opt.training.folder import FolderState, TrainingFolder

FoundT = TypeVar("FoundT")


def refuse_occupied(folder: TrainingFolder) -> None:
    """Raise if a folder has a training, or a file that a new one would replace.

    Raises
    ------
    InputError
        Naming the folder or the file.
    """
    if folder.state is FolderState.HELD:
        raise InputError(
            str(folder.path), "holds a training already; go on with it by --resume, or take another folder"
        )
    _read_start(folder)


def kept_schedule(folder: TrainingFolder, instance: Instance) -> ScheduleDocument | None:
    """Return the schedule of the training in a folder, or of a start on this instance; None if there is none yet.

    Raises
    ------
    InputError
        If the file is missing or wrong, or the folder has one that no start on this instance writes.
    """
    return folder.read_schedule() if folder.state is FolderState.HELD else _begun_schedule(folder, instance)


def refuse_other_start(folder: TrainingFolder, instance: Instance, document: ScheduleDocument) -> None:
    """Raise if a start under another schedule was cut short in a folder; a training there will be compared itself.

    Raises
    ------
    InputError
        If so, or if the folder has a file that no start on this instance writes.
    """
    if folder.state is not FolderState.HELD and _begun_schedule(folder, instance) not in (None, document):
        raise _would_be_replaced(folder.schedule)


def _begun_schedule(folder: TrainingFolder, instance: Instance) -> ScheduleDocument | None:
    found, schedule = _read_start(folder)
    if found is not None and found != instance:
        raise _would_be_replaced(folder.instance)
    if schedule is not None and not schedule.is_for(instance):
        raise _would_be_replaced(folder.schedule)
    return schedule


def _read_start(folder: TrainingFolder) -> tuple[Instance | None, ScheduleDocument | None]:
    """Read what a start has written; raise if a file is nothing that it writes."""
    instance = _of_start(folder.instance, read_instance)
    schedule = _of_start(folder.schedule, read_schedule)
    if schedule is not None and schedule.schedule() is None:
        raise _would_be_replaced(folder.schedule)
    if _of_start(folder.records, read_records):
        raise _would_be_replaced(folder.records)
    return instance, schedule


def _of_start(path: Path, read: Callable[[Path], FoundT]) -> FoundT | None:
    """Return what a file holds, None if there is no file; what can't be read is not a start's."""
    if not os.path.lexists(path):
        return None
    try:
        return read(path)
    except InputError as error:
        raise _would_be_replaced(path) from error


def _would_be_replaced(path: Path) -> InputError:
    return InputError(str(path), "would be replaced; take another folder")
