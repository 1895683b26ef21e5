"""What a training leaves behind round by round, and the table `records.csv` of it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated

from pydantic import Field

from epsl_opt.core.errors import InputError
from epsl_opt.core.json_record import parse_fields
from epsl_opt.core.record import PositiveInt, Record, UnitInterval
from epsl_opt.core.round_timing import RoundTiming
from epsl_opt.core.stage_times import StageTimes
from epsl_opt.files.csv_text import format_csv

Bits = Annotated[int, Field(ge=0, lt=2**63)]


class RoundRecord(Record):
    """What one round learned and sent; how long it took is the clock's to say (`to_row`)."""

    round: PositiveInt = Field(description="from 1")
    train_loss: Annotated[float, Field(allow_inf_nan=False)] = Field(
        description="mean over the samples, before the update"
    )
    test_accuracy: UnitInterval | None = Field(default=None, description="mean over the clients; None if not evaluated")
    macro_f1: UnitInterval | None = Field(default=None, description="mean over the clients; None if not evaluated")
    uplink_bits: Bits = Field(description="sent by all clients in this round")
    downlink_bits: Bits = Field(description="sent by the server in this round; a broadcast counts once")

    def to_row(self, timing: RoundTiming) -> dict[str, object]:
        """Return the round as a row of `records.csv`, under a clock by which rounds take so long."""
        times = {"simulated_time_s": timing.simulated_time_s(self.round)}
        return self.model_dump() | times | asdict(timing.of_round(self.round))


COLUMNS = (
    "round",
    "simulated_time_s",
    "train_loss",
    "test_accuracy",
    "macro_f1",
    "uplink_bits",
    "downlink_bits",
    *(field.name for field in fields(StageTimes)),
)


def format_records(records: Iterable[RoundRecord], timing: RoundTiming) -> str:
    """Return the records as CSV text under a clock by which rounds take so long."""
    return format_csv(COLUMNS, (record.to_row(timing) for record in records))


def read_records(path: Path) -> list[RoundRecord]:
    """Read what was learned back from `records.csv`; times are left out.

    Raises
    ------
    InputError
        If the file can't be read, has other columns, or a cell is wrong.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            columns, rows = tuple(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(str(path), str(error)) from error
    if columns != COLUMNS:
        raise InputError(str(path), f"must have the columns {', '.join(COLUMNS)}")
    records = [_parse_row(row, f"{path} line {number}") for number, row in enumerate(rows, start=2)]
    check_order(records, str(path))
    return records


def check_order(records: Sequence[RoundRecord], source: str) -> None:
    """Raise unless the records are those of rounds 1, 2, 3 and so on.

    Raises
    ------
    InputError
        Naming `source`.
    """
    if [record.round for record in records] != list(range(1, len(records) + 1)):
        raise InputError(source, "must have one record for each round, from 1", "round")


def first_reaching(records: Iterable[RoundRecord], accuracy: float) -> RoundRecord | None:
    """Return the first evaluated round with at least this test accuracy, or None."""
    return next((r for r in records if r.test_accuracy is not None and r.test_accuracy >= accuracy), None)


def _parse_row(row: dict[str, str], source: str) -> RoundRecord:
    kinds = {
        name: int if name in ("round", "uplink_bits", "downlink_bits") else float for name in RoundRecord.model_fields
    }
    try:
        cells = {name: kind(row[name]) for name, kind in kinds.items() if row.get(name) != ""}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(source, f"must have a number in each of {', '.join(kinds)}: {error}") from error
    return parse_fields(RoundRecord, cells, source)
