"""Numbers that users write: the types of all options that take one, with limits that whatever uses them can bear."""

from __future__ import annotations

import math
from collections.abc import Sequence

import click

from epsl_opt.core.defaults import MAX_WHOLE
from epsl_opt.core.plain_text import shown

MAX_SEED = 2**63 - 1
MAX_THREADS = 4096


class Whole(click.IntRange):
    """A whole number, in a configuration file also one; one with a fraction, infinity and NaN are none.

    Help pages tell the least; the most is beyond what anybody means.
    """

    def __init__(self, least: int, most: int) -> None:
        super().__init__(min=least)
        self._most = most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        is_fraction = isinstance(value, float) and not value.is_integer()
        try:
            number = int(plain(value))
        except (ValueError, OverflowError):
            is_fraction = True
        if is_fraction or isinstance(value, bool):
            self.fail(f"{shown(value)} is not a valid integer.", param, ctx)
        if number > self._most:
            self.fail(f"must be at most {self._most}, got {shown(value)}", param, ctx)
        found: int = super().convert(number, param, ctx)
        return found


class Real(click.ParamType):  # type: ignore[type-arg]
    """A number that is no NaN and, unless asked for, no infinity."""

    name = "float"

    def __init__(self, *, infinite: bool = False) -> None:
        self._infinite = infinite

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        try:
            number = float(plain(value))
        except (ValueError, OverflowError):
            self.fail(f"{shown(value)} is not a valid float.", param, ctx)
        if math.isnan(number) or number == -math.inf or (number == math.inf and not self._infinite):
            self.fail(f"must be a {'' if self._infinite else 'finite '}number, got {shown(value)}", param, ctx)
        return number


COUNT = Whole(1, MAX_WHOLE)
SEED = Whole(0, MAX_SEED)
THREADS = Whole(1, MAX_THREADS)
SECONDS = Real(infinite=True)


def plain(value: object) -> str | int | float:
    """Return what `int` and `float` take, or refuse with a ValueError, of anything a configuration file can hold."""
    return value if isinstance(value, str | int | float) else str(value)


def listed(value: object) -> list[object]:
    """Return the parts of a text between commas, or of a list in a configuration file; one thing is a list of one."""
    if isinstance(value, str):
        return list(value.split(","))
    return list(value) if isinstance(value, Sequence) else [value]
