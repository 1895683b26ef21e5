"""Reading images from a CSV file: a row an image, its pixels, colours innermost, and its label."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np

from epsl_opt.backends.datasets.samples import Samples
from epsl_opt.core.csv_rows import delimiter_of
from epsl_opt.core.errors import InputError

INDEX_NAMES = frozenset(("", "index", "unnamed: 0"))
NUMPY_ON_ENTRY = re.compile(r"could not convert string (.*) to uint8 at row (\d+), column (\d+)")


def read_pixel_table(path: Path, size: int, channels: int) -> Samples:
    """Read square images; the header says whether the label stands before or after them, and what is an index.

    Raises
    ------
    OSError
        If the file can't be read.
    InputError
        Naming file and row of what is wrong.
    """
    pixels = size * size * channels
    try:
        with path.open(encoding="utf-8-sig") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a file without rows, which is refused below
            warnings.simplefilter("error", DeprecationWarning)  # NumPy 1 wraps what is no byte, and says so in this way
            header = file.readline()
            index, label = _layout(header, pixels, str(path))
            # Only an index needs a choice of columns: without one NumPy tells a row that is too long.
            chosen = range(1, pixels + 2) if index else None
            between = delimiter_of(header)
            table = np.loadtxt(file, np.uint8, None, between, usecols=chosen, ndmin=2, quotechar='"')
    except ValueError as error:
        raise _wrong_entry(str(path), str(error)) from error
    if not table.size or table.shape[1] != pixels + 1:
        raise InputError(str(path), f"has rows of {table.shape[1]} columns" if table.size else "holds no rows")
    images = np.delete(table, label, axis=1).reshape(-1, size, size, channels).transpose(0, 3, 1, 2)
    return Samples(np.ascontiguousarray(images), table[:, label].astype(np.intp))


def _wrong_entry(source: str, problem: str) -> InputError:
    """Say what NumPy says of an entry, which counts columns from 1 but rows from 0."""
    if found := NUMPY_ON_ENTRY.match(problem):
        where = f"row {int(found[2]) + 1}, column {found[3]}"
        return InputError(source, f"must be a whole number from 0 to 255, got {found[1]}", where)
    return InputError(source, f"is no table of whole numbers: {problem.partition(';')[0]}")


def _layout(line: str, pixels: int, source: str) -> tuple[bool, int]:
    """Return whether the first column is an index, as pandas writes one, and where the label is behind it, 0 or -1."""
    columns = [name.strip().strip('"') for name in line.strip("\r\n").split(delimiter_of(line))]
    index = len(columns) == pixels + 2 and columns[0].lower() in INDEX_NAMES
    names = columns[index:]
    if len(names) == pixels + 1 and "label" in (names[0].lower(), names[-1].lower()):
        return index, -1 if names[-1].lower() == "label" else 0
    problem = f"must name {pixels} pixels and then label, but has {len(columns)} columns, the last {columns[-1]!r}"
    raise InputError(source, problem, "header")
