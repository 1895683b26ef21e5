"""Reading and writing files: strict in, whole or not at all out."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.core.plain_text import is_visible, shown
from epsl_opt.core.record import Record
from epsl_opt.files.documents import ScheduleDocument, refuse_foreign
from epsl_opt.files.reading import STDIN, read_text, source_name
from epsl_opt.files.writing import write_bytes

__all__ = (
    "STDIN",
    "format_json",
    "parse_fields",
    "parse_json",
    "parse_record",
    "prepare_folder",
    "read_instance",
    "read_json",
    "read_schedule",
    "source_name",
    "write_bytes",
    "write_record",
)

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
            raise InputError(source, f"must be {expected!r}, got {shown(data[field])}", field)
    return parse_fields(kind, data, source)


def parse_fields(kind: type[RecordT], data: Any, source: str, within: str | None = None) -> RecordT:
    """Validate parsed JSON as a record that has no format of its own, but stands in the field `within` of a file.

    Raises
    ------
    InputError
        If any field is wrong.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise InputError.from_validation(source, error, within) from error


def read_json(source: str | Path) -> Any:
    """Parse a JSON file (`-` is standard input); a key given twice is an error.

    Raises
    ------
    InputError
        If it can't be read or is not JSON.
    """
    return parse_json(read_text(source), source_name(source))


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
    return _text(data)


def _text(data: Any) -> str:
    """Return JSON on one line; characters that a terminal might obey, or nobody sees, are escaped."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=False)
    return text if text.isprintable() else "".join(c if is_visible(c) else json.dumps(c)[1:-1] for c in text)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"field {shown(key)} is given twice")
        found[key] = value
    return found


def _json_type(data: Any) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(data), "a number")
