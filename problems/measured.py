"""Measured channels from CSV files: a row a client, a column a subchannel, numbers only, no header."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from epsl_opt.arrays import BoolArray, FloatArray
from epsl_opt.errors import InputError
from epsl_opt.problems.paper_options import CsvQuantity, PaperOptions
from epsl_opt.problems.radio import Radio
from epsl_opt.problems.units import dbm_to_w, dbs_to_linear

MAX_DB = 500.0


def read_table(path: str) -> FloatArray:
    """Read a table of finite numbers, shape (rows, columns); blank lines are skipped.

    Raises
    ------
    InputError
        Naming the file, and line and column (both from 1) of what is wrong.
    """
    rows = list(_rows(path))
    if not rows:
        raise InputError(path, "holds no numbers")
    width = len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            raise InputError(path, f"has {len(row)} columns, but the first row has {width}", f"line {line}")
    return np.array([[_number(path, line, j, entry) for j, entry in enumerate(row, 1)] for line, row in rows])


def read_tables(options: PaperOptions) -> dict[str, FloatArray]:
    """Read the files that the options name, uplink first; none if the channel is not measured.

    Raises
    ------
    InputError
        See `read_table`.
    """
    return {path: read_table(path) for path in (options.uplink_csv, options.downlink_csv) if path is not None}


def with_measured_size(options: PaperOptions, tables: dict[str, FloatArray]) -> PaperOptions:
    """Return the options with the numbers of clients and subchannels of the first table, where none were given."""
    size = dict(zip(("clients", "subchannels"), next(iter(tables.values())).shape, strict=True))
    return options.model_copy(update={name: n for name, n in size.items() if name not in options.model_fields_set})


def measured(options: PaperOptions, tables: dict[str, FloatArray], bandwidth_hz: FloatArray) -> Radio:
    """Turn tables into gains; a single one serves both directions.

    An uplink `snr_db` is the ratio when a client puts its whole power limit on that subchannel alone,
    P_i G / (sigma^2 B_k); a downlink one is that at the server's density, p_DL G / sigma^2.

    Raises
    ------
    InputError
        If a table does not fit the number of clients or subchannels, or a number is out of range.
    """
    noise_w_per_hz = dbm_to_w(options.noise_psd_dbm_per_hz)
    uplink_snr_of_gain = dbm_to_w(options.client_power_dbm) / (noise_w_per_hz * bandwidth_hz)
    downlink_snr_of_gain = np.full_like(bandwidth_hz, dbm_to_w(options.downlink_psd_dbm_per_hz) / noise_w_per_hz)
    directions = ((options.uplink_csv, uplink_snr_of_gain), (options.downlink_csv, downlink_snr_of_gain))
    gains = [_gain(path, tables[path], options, snr_of_gain) for path, snr_of_gain in directions if path is not None]
    return Radio(uplink_gain=gains[0], downlink_gain=gains[-1])


def _gain(path: str, table: FloatArray, options: PaperOptions, snr_of_gain: FloatArray) -> FloatArray:
    """Return one table as linear gains; `snr_of_gain` is the SNR that a gain of 1 would give, shape (subchannels,)."""
    for found, wanted, what in zip(table.shape, (options.clients, options.subchannels), _AXES, strict=True):
        if found != wanted:
            raise InputError(path, f"has {found} {what[0]}, but there are {wanted} {what[1]}")
    if options.csv_quantity is CsvQuantity.GAIN:
        _refuse(path, table, table < 0, "a gain must not be negative")
        return table
    _refuse(path, table, abs(table) > MAX_DB, f"must be between {-MAX_DB:g} and {MAX_DB:g} dB")
    linear = dbs_to_linear(table)
    return linear / snr_of_gain if options.csv_quantity is CsvQuantity.SNR_DB else linear


_AXES = (("rows", "clients"), ("columns", "subchannels"))


def _rows(path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and entries of every line that is not blank."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            yield from ((reader.line_num, row) for row in reader if any(entry.strip() for entry in row))
    except OSError as error:
        raise InputError(path, error.strerror or str(error)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, "is not CSV text") from error


def _number(path: str, line: int, column: int, entry: str) -> float:
    try:
        value = float(entry)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(path, f"must be a finite number, got {entry.strip()!r}", f"line {line}, column {column}")
    return value


def _refuse(path: str, table: FloatArray, wrong: BoolArray, rule: str) -> None:
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        raise InputError(path, f"{rule}, got {table[row, column]:g}", f"row {row + 1}, column {column + 1}")
