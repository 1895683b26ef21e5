"""Errors that a user can act on: one line each, naming the file and the field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from epsl_opt.core.plain_text import one_line, shorten, shown

if TYPE_CHECKING:
    from pydantic import ValidationError

SCHEDULE = "schedule"
"""The source of a problem with a schedule document whose file is not known."""

FIELD_PREFIX = re.compile(r"([\w.\[\]]+): ")

MAX_LINE = 1900
"""Characters of an error's line, whatever a file holds; what is put in front of it comes on top."""


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
        super().__init__(shorten(one_line(": ".join(part for part in (source, field, problem) if part)), MAX_LINE))

    @classmethod
    def from_os(cls, source: str, error: OSError | ValueError) -> InputError:
        """Say in the system's words why a file can't be read or written; a name that none can have is a ValueError."""
        return cls(source, (error.strerror if isinstance(error, OSError) else None) or str(error))

    @classmethod
    def from_validation(cls, source: str, error: ValidationError, within: str | None = None) -> InputError:
        """Say the first problem pydantic found as `file: field: problem`, and how many more there are.

        The field is given from `within`, where what was validated is only a part of the file.
        """
        errors = error.errors(include_url=False)
        first = errors[0]
        location = first["loc"] if within is None else (within, *first["loc"])
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
            problem += f", got {shown(first['input'])}"
        if len(errors) > 1:
            problem += f" (and {len(errors) - 1} more)"
        return cls(source, problem, field_path(location) or None)


@contextmanager
def found_in(source: str) -> Iterator[None]:
    """Name the file that was read where what is wrong with it comes to light only when it is used.

    Raises
    ------
    InputError
        With `source` in the place of "schedule", which is what those who know no file call it.
    """
    try:
        yield
    except InputError as error:
        if error.source != SCHEDULE:
            raise
        raise InputError(source, error.problem, error.field) from error


class EngineError(EpslOptError):
    """What runs a campaign has gone; what is finished stays."""


def field_path(location: tuple[int | str, ...]) -> str:
    """Write a pydantic location as `clients[2].max_power_w`."""
    path = ""
    for part in location:
        name = shorten(str(part))
        path += f"[{part}]" if isinstance(part, int) else f".{name}" if path else name
    return path


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
