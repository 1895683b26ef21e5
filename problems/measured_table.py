"""A CSV file as a table of numbers."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.csv_rows import read_csv
from epsl_opt.core.errors import InputError
from epsl_opt.core.plain_text import shown
from epsl_opt.problems.table_layout import NUMBER, Layout, UnclearLayoutError, layout_of

BLOCKED = re.compile(r"-inf(?:inity)?", re.IGNORECASE)
SEPARATORS = re.compile(r"[;\t|]|[\d.] +[-+\d.]")


def read_table(path: str, *, in_db: bool = False) -> FloatArray:
    """Read a table of numbers, shape (rows, columns); names of rows and columns, and blank lines, are left out.

    Parameters
    ----------
    path
        A CSV file, separated by commas.
    in_db
        Whether the numbers are decibels, of which `-inf` is one: nothing comes through.

    Raises
    ------
    InputError
        Naming the file, and line and column (both from 1) of what is wrong.
    """
    try:
        rows = [(line, [cell.strip() for cell in row]) for line, row in read_csv(Path(path))]
    except OSError as error:
        raise InputError.from_os(path, error) from error
    rows = [(line, row) for line, row in rows if any(row)]
    if not rows:
        raise InputError(path, "holds no numbers")
    found = _layout(path, rows)
    body = rows[found.header :]
    if not body or len(body[0][1]) == found.index:
        raise InputError(path, "holds no numbers")
    _refuse_ragged(path, rows, found)
    numbers = [[_number(path, line, j + 1, row[j], in_db) for j in range(found.index, len(row))] for line, row in body]
    return np.array(numbers)


def _layout(path: str, rows: list[tuple[int, list[str]]]) -> Layout:
    try:
        return layout_of([row for _, row in rows])
    except UnclearLayoutError as error:
        raise InputError(path, str(error), f"line {rows[0][0]}, column 1") from error


def _refuse_ragged(path: str, rows: list[tuple[int, list[str]]], layout: Layout) -> None:
    """Refuse rows of different lengths; a header may lack the name of the index."""
    short_header = layout.header and layout.index and len(rows[0][1]) == len(rows[1][1]) - 1
    checked = rows[1:] if short_header else rows
    width = len(checked[0][1])
    for line, row in checked:
        if len(row) != width:
            raise InputError(path, f"has {len(row)} columns, but the first row has {width}", f"line {line}")


def _number(path: str, line: int, column: int, entry: str, in_db: bool) -> float:
    if in_db and BLOCKED.fullmatch(entry):
        return -math.inf
    written = NUMBER.fullmatch(entry)
    value = float(entry) if written else math.nan
    if not math.isfinite(value) or (written and value == 0 and written["digits"].strip("0.")):
        hint = "; cells are separated by commas" if SEPARATORS.search(entry) else ""
        raise InputError(path, f"must be a finite number, got {shown(entry)}{hint}", f"line {line}, column {column}")
    return value
