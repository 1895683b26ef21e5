"""Errors that a user can act on: one line each, naming the file and the field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

FIELD_PREFIX = re.compile(r"([\w.\[\]]+): ")


class EpslOptError(Exception):
    """Base of every error this package raises on purpose; its text is one line for the user."""


class InputError(EpslOptError):
    """Something the user gave is wrong.

    Parameters
    ----------
    source
        The file, option or scenario that was read.
    problem
        What is wrong, in one line.
    field
        Dotted path of the offending field, if one field is to blame.
    """

    def __init__(self, source: str, problem: str, field: str | None = None) -> None:
        self.source, self.field, self.problem = source, field, problem
        super().__init__(one_line(": ".join(part for part in (source, field, problem) if part)))

    @classmethod
    def from_validation(cls, source: str, error: ValidationError) -> InputError:
        """Say the first problem pydantic found as `file: field: problem`, and how many more there are."""
        errors = error.errors(include_url=False)
        first = errors[0]
        location = first["loc"]
        problem = _lower_first(first["msg"].removeprefix("Value error, "))
        if first["type"] == "extra_forbidden":
            problem = "unknown field"
        elif first["type"] == "missing":
            problem = "missing field"
        elif first["type"] == "too_short":
            problem = "must not be empty"
        elif first["type"] == "value_error" and (culprit := FIELD_PREFIX.match(problem)):
            location, problem = (*location, culprit[1]), problem[culprit.end() :]
        elif not isinstance(first["input"], list | dict) and first["type"] != "array":
            problem += f", got {_shorten(repr(first['input']))}"
        if len(errors) > 1:
            problem += f" (and {len(errors) - 1} more)"
        return cls(source, problem, field_path(location) or None)


class EngineError(EpslOptError):
    """What runs a campaign has gone; what is finished stays."""


def one_line(text: str) -> str:
    """Escape line breaks and control characters, which a file can smuggle into a message."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def field_path(location: tuple[int | str, ...]) -> str:
    """Write a pydantic location as `clients[2].max_power_w`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _shorten(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
