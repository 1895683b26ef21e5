"""Reading images from a CSV file: a row an image, its pixels, colours innermost, and its label."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np

from epsl_opt.backends.datasets.samples import Samples
from epsl_opt.errors import InputError

NUMPY_ON_ENTRY = re.compile(r"could not convert string (.*) to uint8 at row (\d+), column (\d+)")


def read_pixel_table(path: Path, size: int, channels: int) -> Samples:
    """Read square images; the header ends in `label`.

    Raises
    ------
    OSError
        If the file can't be read.
    InputError
        Naming file and row of what is wrong.
    """
    try:
        with path.open(encoding="utf-8") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a file without rows, which is refused below
            _check_header(file.readline(), size * size * channels, str(path))
            table = np.loadtxt(file, dtype=np.uint8, delimiter=",", comments=None, ndmin=2)
    except ValueError as error:
        raise _wrong_entry(str(path), str(error)) from error
    if not table.size or table.shape[1] != size * size * channels + 1:
        raise InputError(str(path), f"has rows of {table.shape[1]} columns" if table.size else "holds no rows")
    pixels = table[:, :-1].reshape(-1, size, size, channels).transpose(0, 3, 1, 2)
    return Samples(np.ascontiguousarray(pixels), table[:, -1].astype(np.intp))


def _wrong_entry(source: str, problem: str) -> InputError:
    """Say what NumPy says of an entry, which counts columns from 1 but rows from 0."""
    if found := NUMPY_ON_ENTRY.match(problem):
        where = f"row {int(found[2]) + 1}, column {found[3]}"
        return InputError(source, f"must be a whole number from 0 to 255, got {found[1]}", where)
    return InputError(source, f"is no table of whole numbers: {problem.partition(';')[0]}")


def _check_header(line: str, pixels: int, source: str) -> None:
    columns = line.strip().split(",")
    if columns[-1].strip().strip('"') != "label" or len(columns) != pixels + 1:
        problem = f"must name {pixels} pixels and then label, but has {len(columns)} columns, the last {columns[-1]!r}"
        raise InputError(source, problem, "header")
