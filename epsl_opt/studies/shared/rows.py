"""Rows of a study: looking through them, and the intervals in their cells."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

from epsl_opt.plugins.study import Cell, Row
from epsl_opt.report.intervals import Interval

NOTHING = Interval(math.nan, -math.inf, math.inf, 0)
"""The interval of no values; every claim about it is left open."""

T = TypeVar("T")


class IndexedRows(list[Row]):
    """Rows that are looked through again and again: for each set of columns asked for, once."""

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__(rows)
        self._places: dict[tuple[str, ...], dict[tuple[Cell, ...], list[Row]]] = {}

    def matching(self, wanted: Mapping[str, Cell]) -> list[Row]:
        """Return the rows with these values, in their order."""
        names = tuple(wanted)
        if names not in self._places:
            places = self._places[names] = defaultdict(list)
            for row in self:
                places[tuple(row.get(name) for name in names)].append(row)
        return self._places[names].get(tuple(wanted.values()), [])


def select(rows: Sequence[Row], **wanted: Cell) -> list[Row]:
    """Return the rows with these values."""
    if isinstance(rows, IndexedRows):
        return rows.matching(wanted)
    return [row for row in rows if all(row.get(column) == value for column, value in wanted.items())]


def number(row: Row, column: str) -> float:
    """Return a number of a row, 0 if the cell is empty."""
    return float(row[column] or 0)


def whole(row: Row, column: str) -> int:
    """Return a whole number of a row, 0 if the cell is empty."""
    return int(row[column] or 0)


def distinct(rows: Sequence[Row], column: str) -> list[str]:
    """Return the texts in a column, in the order they first come."""
    return [str(value) for value in dict.fromkeys(row.get(column) for row in rows) if value is not None]


def ends(values: Sequence[T]) -> Sequence[T]:
    """Return the first and the last, each once."""
    return (*values[:1], *values[1:][-1:])


def columns(interval: Interval, name: str, ends: str | None = None) -> dict[str, Cell]:
    """Return an interval as cells of a table: mean, low, high; what is not finite is empty.

    The columns are `name`, and `low` and `high` behind `ends`, which is `name` if it is not given.
    """
    cells = zip(_columns(name, ends), (interval.mean, interval.low, interval.high), strict=True)
    return {column: value if math.isfinite(value) else None for column, value in cells}


def interval_of(row: Row, name: str, ends: str | None = None) -> Interval:
    """Return the interval that `columns` laid out; an empty mean is that of no values."""
    mean, low, high = (row[column] for column in _columns(name, ends))
    if mean is None:
        return NOTHING
    n = int(row.get("draws") or 0)
    return Interval(float(mean), float("-inf" if low is None else low), float("inf" if high is None else high), n)


def _columns(name: str, ends: str | None) -> tuple[str, str, str]:
    before = f"{name}_" if ends is None else f"{ends}_" if ends else ""
    return name, f"{before}low", f"{before}high"
