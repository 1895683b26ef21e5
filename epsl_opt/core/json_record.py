"""Records from parsed JSON, and instances from files: what is wrong is told by file and field."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.core.npz_document import read_document
from epsl_opt.core.plain_text import shown
from epsl_opt.core.reading import source_name
from epsl_opt.core.record import Record

RecordT = TypeVar("RecordT", bound=Record)


def read_instance(source: str | Path) -> Instance:
    """Read an `epsl-opt/instance` file, JSON or `.npz` by its suffix (`-` is standard input, JSON).

    Raises
    ------
    InputError
        Naming the file and the field, if anything is wrong.
    """
    return parse_record(Instance, read_document(source), source_name(source))


def parse_record(kind: type[RecordT], data: object, source: str) -> RecordT:
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


def parse_fields(kind: type[RecordT], data: object, source: str, within: str | None = None) -> RecordT:
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


def _json_type(data: object) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(data), "a number")
