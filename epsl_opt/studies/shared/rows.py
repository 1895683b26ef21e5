"""Values of a study's rows, matched by seed, and their intervals; where nothing can be matched, nothing is claimed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar, overload

from epsl_opt.plugins.study import Cell, Row
from epsl_opt.report.intervals import Interval, mean_interval, paired_difference, paired_ratio

NOTHING = Interval(math.nan, -math.inf, math.inf, 0)
"""The interval of no values; every claim about it is left open."""

T = TypeVar("T")
BySeed = Mapping[int, float]


class IndexedRows(Sequence[Row]):
    """Rows that are looked through again and again: for each set of columns asked for, once."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = list(rows)
        self._places: dict[tuple[str, ...], dict[tuple[Cell, ...], list[Row]]] = {}

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        """Return a row or some."""
        return self._rows[at]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._rows)

    def matching(self, wanted: Mapping[str, Cell]) -> list[Row]:
        """Return the rows with these values, in their order."""
        names = tuple(wanted)
        if names not in self._places:
            places = self._places[names] = defaultdict(list)
            for row in self._rows:
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


def by_seed(rows: Sequence[Row], column: str, **wanted: Cell) -> dict[int, float]:
    """Return a column of the rows with these values, by seed; empty cells are left out."""
    return {whole(row, "seed"): number(row, column) for row in select(rows, **wanted) if row.get(column) is not None}


def mean(values: BySeed) -> Interval:
    """Return the mean over seeds."""
    return mean_interval(list(values.values())) if values else NOTHING


def geometric_mean(values: BySeed) -> Interval:
    """Return the geometric mean of positive values over seeds."""
    return ratio(values, dict.fromkeys(values, 1.0))


def ratio(mine: BySeed, theirs: BySeed) -> Interval:
    """Return the geometric mean of `mine / theirs` over the seeds of both."""
    common = sorted(mine.keys() & theirs.keys())
    return paired_ratio([mine[s] for s in common], [theirs[s] for s in common]) if common else NOTHING


def difference(mine: BySeed, theirs: BySeed) -> Interval:
    """Return the mean of `mine - theirs` over the seeds of both."""
    common = sorted(mine.keys() & theirs.keys())
    return paired_difference([mine[s] for s in common], [theirs[s] for s in common]) if common else NOTHING


def quotients(mine: BySeed, theirs: BySeed) -> dict[int, float]:
    """Return `mine / theirs` by seed."""
    return {seed: mine[seed] / theirs[seed] for seed in sorted(mine.keys() & theirs.keys())}


def over_settings(settings: Sequence[BySeed], *, geometric: bool = False) -> dict[int, float]:
    """Return each seed's mean over settings; draws of one seed are not independent, so they count as one value.

    A seed that lacks a setting is left out.
    """
    if not settings:
        return {}
    common = set.intersection(*(set(values) for values in settings))
    if geometric:
        return {
            seed: math.exp(math.fsum(math.log(values[seed]) for values in settings) / len(settings)) for seed in common
        }
    return {seed: math.fsum(values[seed] for values in settings) / len(settings) for seed in common}


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


def percent(interval: Interval, digits: int = 3) -> str:
    """Return an interval of fractions in per cent, as text; what is under half a thousandth of one per cent is 0."""
    mean, low, high = (round(100 * value, 3) for value in (interval.mean, interval.low, interval.high))
    return Interval(mean, low, high, interval.n).text(digits, " %")


def _columns(name: str, ends: str | None) -> tuple[str, str, str]:
    before = f"{name}_" if ends is None else f"{ends}_" if ends else ""
    return name, f"{before}low", f"{before}high"
