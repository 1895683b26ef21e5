"""Measured channels from CSV files: a row a client, a column a subchannel, with or without names of both."""

from __future__ import annotations

import logging

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray
from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import SMALLEST_GAIN
from epsl_opt.problems.measured_table import read_table
from epsl_opt.problems.paper_options import CsvQuantity, PaperOptions
from epsl_opt.problems.radio import Radio
from epsl_opt.problems.units import dbm_to_w, dbs_to_linear

log = logging.getLogger(__name__)

MAX_DB = 500.0
MANY_TIMES = 1e3
"""By how much a first row or column must exceed all other gains to be taken for names."""


def read_tables(options: PaperOptions) -> dict[str, FloatArray]:
    """Read the files that the options name, uplink first; none if the channel is not measured.

    Raises
    ------
    InputError
        See `read_table`.
    """
    in_db = options.csv_quantity is not CsvQuantity.GAIN
    paths = (options.uplink_csv, options.downlink_csv)
    return {path: read_table(path, in_db=in_db) for path in paths if path is not None}


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
    if table.shape[0] > table.shape[1]:
        log.warning("%s: has more rows (clients) than columns (subchannels); is it transposed?", path)
    if options.csv_quantity is CsvQuantity.GAIN:
        return _linear(path, table)
    wrong = (abs(table) > MAX_DB) & (table != -np.inf)
    _refuse(path, table, wrong, f"must be between {-MAX_DB:g} and {MAX_DB:g} dB")
    if options.csv_quantity is CsvQuantity.GAIN_DB:
        _refuse(path, table, table >= 0, "a gain must be below 0 dB, unlike a path loss or a linear number")
        return dbs_to_linear(table)
    gain = dbs_to_linear(table) / snr_of_gain
    _refuse(path, table, (gain > 0) & (gain < SMALLEST_GAIN), f"means a gain below {SMALLEST_GAIN:g}")
    return gain


def _linear(path: str, table: FloatArray) -> FloatArray:
    """Check linear gains; one of 1 and above is told in the log, since it may be normalised."""
    _refuse(path, table, table < 0, "a gain must not be negative", "; for dB say csv_quantity=gain_db")
    _refuse(path, table, (table > 0) & (table < SMALLEST_GAIN), f"a gain must be 0 or at least {SMALLEST_GAIN:g}")
    _refuse_names(path, table)
    if count := int((table >= 1).sum()):
        log.warning("%s: %d of %d gains are 1 (0 dB) or above; are they linear gains?", path, count, table.size)
    return table


def _refuse_names(path: str, table: FloatArray) -> None:
    """Refuse a first row or column, all of it 1 and above, of frequencies, say, over gains far below."""
    for what, first, rest in (("row 1", table[0], table[1:]), ("column 1", table[:, 0], table[:, 1:])):
        if rest.size and first.min() >= 1 and first.min() > MANY_TIMES * rest.max():
            raise InputError(path, "holds gains of 1 and above, far above all others; take out what is none", what)


_AXES = (("rows", "clients"), ("columns", "subchannels"))


def _refuse(path: str, table: FloatArray, wrong: BoolArray, rule: str, hint: str = "") -> None:
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        raise InputError(path, f"{rule}, got {table[row, column]:g}{hint}", f"row {row + 1}, column {column + 1}")
