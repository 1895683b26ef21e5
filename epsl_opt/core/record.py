"""The base of every record that is read from or written to a file."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, Self, cast

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from epsl_opt.core.arrays import frozen
from epsl_opt.core.defaults import MAX_WHOLE

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
UnitInterval = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
PositiveInt = Annotated[int, Field(ge=1, le=MAX_WHOLE)]
MAX_DEPTH = 32
MAX_INTEGER = 10**300

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
AsTuple = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)


def _check_json(value: object, depth: int = 0) -> object:
    """Refuse what could not be written or used again: NaN, infinities, broken text, endless digits or nesting."""
    if depth > MAX_DEPTH:
        raise ValueError("is nested too deeply")
    if isinstance(value, dict):
        for part in (*value.keys(), *value.values()):
            _check_json(part, depth + 1)
    elif isinstance(value, list | tuple):
        for part in value:
            _check_json(part, depth + 1)
    elif isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise ValueError("holds an integer that no float can hold")
    else:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_check_json)]


_UNCHANGEABLE = frozenset({str, int, float, bool, type(None)})


def _rebuilt(value: object, build: Callable[[type[Record], dict[str, Any]], Record]) -> object:
    """Return a value that shares nothing writable with `value`; records in it are made again by `build`."""
    if type(value) in _UNCHANGEABLE:
        return value
    if isinstance(value, Record):
        return build(type(value), {name: _rebuilt(getattr(value, name), build) for name in value.model_fields_set})
    if isinstance(value, tuple):
        return tuple(_rebuilt(part, build) for part in value)
    return frozen(value) if isinstance(value, np.ndarray) else copy.deepcopy(value)


def canonical_sha256(document: Mapping[str, object]) -> str:
    """Return the SHA-256 of a document as JSON with sorted keys and no spaces."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


class Record(BaseModel):
    """A frozen record: unknown or missing fields, NaN and infinities are refused; equal by content."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", arbitrary_types_allowed=True)

    def to_document(self) -> dict[str, Any]:
        """Return the record as JSON-ready dictionaries and lists, without fields that were not given."""
        return self.model_dump(mode="python", exclude_none=True)

    def model_copy(self, *, update: Mapping[str, object] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields replaced, validated again; what the original has cached stays behind."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | dict(update or {}))

    def detached(self) -> Self:
        """Return an equal record that shares nothing writable with this one, nor what this one has cached."""
        return cast("Self", _rebuilt(self, lambda kind, fields: kind.model_construct(**fields)))

    def validated(self) -> Self:
        """Return an equal record whose every part was validated again: for records that strangers made.

        Raises
        ------
        pydantic.ValidationError
            If a part breaks its rule.
        """
        return cast("Self", _rebuilt(self, lambda kind, fields: kind(**fields)))

    @cached_property
    def content_sha256(self) -> str:
        """SHA-256 of the record as JSON with sorted keys and no spaces: two equal records have one digest."""
        return canonical_sha256(self.to_document())

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Record) and self.content_sha256 == other.content_sha256

    def __hash__(self) -> int:
        return hash(self.content_sha256)
