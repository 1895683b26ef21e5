"""The base of every record that is read from or written to a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
UnitInterval = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
PositiveInt = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
AsTuple = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)


class Record(BaseModel):
    """A frozen record: unknown or missing fields, NaN and infinities are refused; equal by content."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", arbitrary_types_allowed=True)

    def to_document(self) -> dict[str, Any]:
        """Return the record as JSON-ready dictionaries and lists, without fields that were not given."""
        return self.model_dump(mode="python", exclude_none=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields replaced, validated again; what the original has cached stays behind."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | dict(update or {}))

    @cached_property
    def content_sha256(self) -> str:
        """SHA-256 of the record as JSON with sorted keys and no spaces: two equal records have one digest."""
        canonical = json.dumps(self.to_document(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Record) and self.content_sha256 == other.content_sha256

    def __hash__(self) -> int:
        return hash(self.content_sha256)
