"""Reading and writing files: strict in, whole or not at all out."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from epsl_opt.documents import ScheduleDocument, refuse_foreign
from epsl_opt.errors import InputError
from epsl_opt.instance import Instance
from epsl_opt.record import Record

STDIN = "-"

_TRIES = 20
"""So often a folder is made anew that somebody else removes at the same time."""

RecordT = TypeVar("RecordT", bound=Record)


def read_instance(source: str | Path) -> Instance:
    """Read an `epsl-opt/instance` file (`-` is standard input).

    Raises
    ------
    InputError
        Naming the file and the field, if anything is wrong.
    """
    return parse_record(Instance, read_json(source), source_name(source))


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
    """Write an instance or schedule as JSON; an existing file is replaced whole or stays as it is."""
    write_bytes(path, format_json(record.to_document()).encode())


def parse_record(kind: type[RecordT], data: Any, source: str) -> RecordT:
    """Validate parsed JSON as a record.

    Raises
    ------
    InputError
        If it is of another format or version, or any field is wrong.
    """
    if not isinstance(data, dict):
        raise InputError(source, f"must be a JSON object, is {_json_type(data)}")
    for field in ("format", "version"):
        expected = kind.model_fields[field].default
        if field not in data:
            raise InputError(source, f"missing field (expected {expected!r})", field)
        if data[field] != expected or isinstance(data[field], bool):
            raise InputError(source, f"must be {expected!r}, got {data[field]!r}", field)
    return parse_fields(kind, data, source)


def parse_fields(kind: type[RecordT], data: Any, source: str) -> RecordT:
    """Validate parsed JSON as a record that has no format of its own.

    Raises
    ------
    InputError
        If any field is wrong.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise InputError.from_validation(source, error) from error


def read_json(source: str | Path) -> Any:
    """Parse a JSON file (`-` is standard input); a key given twice is an error.

    Raises
    ------
    InputError
        If it can't be read or is not JSON.
    """
    name = source_name(source)
    try:
        text = sys.stdin.read() if str(source) == STDIN else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(name, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise InputError(name, "is not UTF-8 text") from error
    return parse_json(text, name)


def parse_json(text: str, name: str) -> Any:
    """Parse JSON text from a source of this name; a key given twice is an error.

    Raises
    ------
    InputError
        If it is not JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise InputError(name, f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise InputError(name, "is nested too deeply") from error
    except ValueError as error:
        raise InputError(name, str(error)) from error


def source_name(source: str | Path) -> str:
    """Return how to call a source in messages."""
    return "standard input" if str(source) == STDIN else str(source)


def write_bytes(path: str | Path, content: bytes, durable: bool = True) -> None:
    """Replace `path` by `content` in one step, so that a reader sees the old file or the new one.

    It outlasts a power cut unless `durable` is false, which spares waiting for the disk.

    Raises
    ------
    InputError
        If the folder does not exist or can't be written to.
    """
    target = Path(path)
    temporary: str | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            temporary = file.name
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        _keep_mode(temporary, target)
        Path(temporary).replace(target)
    except OSError as error:
        raise InputError(str(path), error.strerror or str(error)) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


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
                raise InputError(str(folder), error.strerror or str(error)) from error


def format_json(data: Any) -> str:
    """Return indented JSON with lists of numbers on one line each, ending in a newline."""
    return _format(data, "") + "\n"


def _format(data: Any, indent: str) -> str:
    inner = indent + "  "
    if isinstance(data, dict) and data:
        items = [f"{inner}{json.dumps(str(key))}: {_format(value, inner)}" for key, value in data.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(data, list | tuple) and any(isinstance(entry, dict | list | tuple) for entry in data):
        return "[\n" + ",\n".join(inner + _format(entry, inner) for entry in data) + f"\n{indent}]"
    return json.dumps(data, allow_nan=False, ensure_ascii=False)


def _keep_mode(temporary: str, target: Path) -> None:
    """A temporary file is private; give it the mode the target has, or that a new file would get."""
    if target.exists():
        mode = target.stat().st_mode & 0o777
    else:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    Path(temporary).chmod(mode)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"field {key!r} is given twice")
        found[key] = value
    return found


def _json_type(data: Any) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(data), "a number")
