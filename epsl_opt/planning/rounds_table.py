"""A user's own rounds to target: a CSV or JSON file with a row for each way to train."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from epsl_opt.core.csv_rows import read_csv
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.json_record import parse_fields
from epsl_opt.core.json_text import read_json
from epsl_opt.core.record import Name, PositiveFloat, PositiveInt, Record, UnitInterval
from epsl_opt.files.training_document import FrameworkName
from epsl_opt.planning.point import Point
from epsl_opt.planning.spread import RoundsInterval, Spread

Rounds = Annotated[float, Field(ge=1, allow_inf_nan=False)]


class MeasuredRounds(Record):
    """A row of the table; without `rounds_low` and `rounds_high` the assumed spread between seeds makes them."""

    framework: FrameworkName
    aggregation_ratio: UnitInterval = 0.0
    cut_layer: Name
    batch_size: PositiveInt
    average_every: PositiveInt | None = None
    learning_rate: PositiveFloat | None = None
    rounds: Rounds
    rounds_low: Rounds | None = None
    rounds_high: Rounds | None = None

    @model_validator(mode="after")
    def _check_interval(self) -> Self:
        """The ends lie around the rounds, and only EPSL and PSL average on request."""
        if not (self.rounds_low or 1) <= self.rounds <= (self.rounds_high or math.inf):
            raise ValueError("rounds: must lie from rounds_low to rounds_high")
        if self.average_every is not None and not self.framework.averages_on_request:
            raise ValueError("average_every: is for the frameworks epsl and psl")
        return self

    @property
    def point(self) -> Point:
        """The way to train."""
        ratio = self.aggregation_ratio if self.framework is Framework.EPSL else 0.0
        return Point(self.framework, ratio, self.cut_layer, self.batch_size, self.average_every, self.learning_rate)

    @property
    def interval(self) -> RoundsInterval:
        """What is known of the rounds to target."""
        assumed = Spread().interval([self.rounds])
        return RoundsInterval(self.rounds_low or assumed.low, self.rounds_high or assumed.high, self.rounds)


_COLUMNS = tuple(MeasuredRounds.model_fields)
_WHOLE, _TEXT = ("batch_size", "average_every"), ("framework", "cut_layer")


def read_rounds_table(path: str | Path) -> dict[Point, RoundsInterval]:
    """Read rounds to target by point: CSV with a header, or a JSON list of objects, by the suffix of the file.

    Raises
    ------
    InputError
        Naming the file, the row and the field, if anything is wrong, or if two rows are for one point.
    """
    source, found = str(path), dict[Point, RoundsInterval]()
    for where, row in _json_rows(path) if source.lower().endswith(".json") else _csv_rows(Path(path)):
        measured = parse_fields(MeasuredRounds, row, where)
        if measured.point in found:
            raise InputError(where, f"is for {measured.point.label}, as another row is")
        found[measured.point] = measured.interval
    if not found:
        raise InputError(source, "has no row")
    return found


def _json_rows(path: str | Path) -> Iterator[tuple[str, object]]:
    data = read_json(path)
    if not isinstance(data, list):
        raise InputError(str(path), "must be a JSON list of objects")
    yield from ((f"{path} [{number}]", row) for number, row in enumerate(data))


def _csv_rows(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        lines = list(read_csv(path, None))
    except OSError as error:
        raise InputError.from_os(str(path), error) from error
    header = [name.strip() for name in lines[0][1]] if lines else []
    if unknown := [name for name in header if name not in _COLUMNS]:
        raise InputError(f"{path} line 1", f"has the column {unknown[0]!r}, which is none of {', '.join(_COLUMNS)}")
    for number, cells in lines[1:]:
        where = f"{path} line {number}"
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise InputError(where, f"has {len(cells)} cells, the header {len(header)}")
        yield (
            where,
            {name: _value(name, cell.strip(), where) for name, cell in zip(header, cells, strict=True) if cell.strip()},
        )


def _value(name: str, cell: str, where: str) -> object:
    if name in _TEXT:
        return cell
    try:
        return int(cell) if name in _WHOLE else float(cell)
    except ValueError as error:
        raise InputError(where, f"must be a number, is {cell!r}", name) from error
