"""Reading and writing files: strict in, whole or not at all out."""

from __future__ import annotations

import tempfile
from pathlib import Path

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.json_text import format_json, read_json
from epsl_opt.core.npz_document import ARRAYS, is_npz, npz_bytes
from epsl_opt.core.reading import source_name
from epsl_opt.core.record import Record
from epsl_opt.files.documents import ScheduleDocument, refuse_foreign
from epsl_opt.files.writing import write_bytes

_TRIES = 20
"""So often a folder is made anew that somebody else removes at the same time."""


def read_schedule(source: str | Path, instance: Instance | None = None) -> ScheduleDocument:
    """Read an `epsl-opt/schedule` file (`-` is standard input).

    Parameters
    ----------
    source
        The file.
    instance
        The instance that the schedule must be for, if it matters.

    Raises
    ------
    InputError
        Naming the file and the field, if anything is wrong or the schedule is for another instance.
    """
    document = parse_record(ScheduleDocument, read_json(source), source_name(source))
    if instance is not None:
        refuse_foreign(document, instance, source_name(source))
    return document


def write_record(path: str | Path, record: Record) -> None:
    """Write a record as JSON, or an instance as `.npz` by the suffix; an existing file is replaced whole or stays.

    Raises
    ------
    InputError
        If it can't be written, or is no instance and the name ends in `.npz`.
    """
    if isinstance(record, Instance) and is_npz(path):
        write_bytes(path, _npz(record))
    else:
        refuse_npz(path)
        write_bytes(path, format_json(record.to_document()).encode())


def refuse_npz(path: str | Path | None) -> None:
    """Raise if what is no instance would be written to a `.npz` file.

    Raises
    ------
    InputError
        If the name ends so.
    """
    if path is not None and is_npz(path):
        raise InputError(str(path), "only instances can be .npz files")


def _npz(record: Instance) -> bytes:
    document = record.model_dump(mode="python", exclude_none=True, exclude={"channel": set(ARRAYS)})
    return npz_bytes(document, {name: getattr(record.channel, name) for name in ARRAYS})


def prepare_folder(folder: Path) -> None:
    """Make a folder, if it is not there, and try that it can be written to.

    Raises
    ------
    InputError
        If not.
    """
    for left in reversed(range(_TRIES)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return
        except OSError as error:
            gone = isinstance(error, FileNotFoundError | FileExistsError)
            if not left or not gone:
                raise InputError.from_os(str(folder), error) from error
