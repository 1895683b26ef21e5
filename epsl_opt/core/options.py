"""Named options given as text: `K=V` pairs validated by a pydantic model, with near matches for unknown keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from epsl_opt.core.errors import InputError
from epsl_opt.core.plain_text import shown

ModelT = TypeVar("ModelT", bound=BaseModel)

MAX_INTEGER = 2**64
"""Of an option; seeds may be as large."""


class Options(BaseModel):
    """Base of the options of a solver, scenario, backend or exporter: every field has a default and a description.

    Unknown keys, infinities, NaN and integers beyond 64 bits are errors; a float that may be infinite says so:
    `Field(allow_inf_nan=True)`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)

    @model_validator(mode="after")
    def _check_integers(self) -> Self:
        for name, value in self:
            if isinstance(value, int) and abs(value) > MAX_INTEGER:
                raise ValueError(f"{name}: must be at most {MAX_INTEGER} in size, got {shown(value)}")
        return self


def parse_options(kind: type[ModelT], options: Mapping[str, object], owner: str) -> ModelT:
    """Validate options; text is converted, `-` and `_` in keys are the same.

    Raises
    ------
    InputError
        Naming the owner, the option and what is wrong.
    """
    known = sorted(kind.model_fields)
    given = {key.replace("-", "_"): value for key, value in options.items()}
    for key in given:
        if key not in known:
            raise InputError(owner, unknown(key, known), "option")
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise InputError.from_validation(owner, error) from error


def split_pairs(pairs: Iterable[str], owner: str) -> dict[str, str]:
    """Split `K=V` texts into a mapping.

    Raises
    ------
    InputError
        If a text has no `=`, an empty key, or a key comes twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise InputError(owner, f"must be KEY=VALUE, got {shown(pair)}", "option")
        if key.strip() in found:
            raise InputError(owner, f"{shown(key.strip())} is given twice", "option")
        found[key.strip()] = value.strip()
    return found


def unknown(name: str, known: list[str]) -> str:
    """Say that `name` is unknown, what it may have meant, and what there is."""
    near = get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known) or 'none'}"
    return f"unknown name {shown(name)}; {hint}"
