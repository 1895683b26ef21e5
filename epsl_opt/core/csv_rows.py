"""Rows from CSV files."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path

from epsl_opt.core.errors import InputError

DELIMITERS = ",;\t|"


def read_csv(path: Path, delimiter: str | None = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield line number, from 1, and cells of each row of a UTF-8 file; a byte order mark and line ends do not matter.

    Parameters
    ----------
    path
        The file.
    delimiter
        Between cells; None: whichever of `DELIMITERS` is most frequent in the first line.

    Raises
    ------
    OSError
        If the file can't be read.
    InputError
        If it is not CSV text.
    """
    content = path.read_bytes()  # once, since it may be a pipe
    if content[:2] in (BOM_UTF16_BE, BOM_UTF16_LE):
        raise InputError(str(path), "is not CSV text in UTF-8 but in UTF-16; save it anew")
    try:
        text = content.decode("utf-8-sig")
        between = delimiter or delimiter_of(text.partition("\n")[0])
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=between)
        yield from ((reader.line_num, row) for row in reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(str(path), f"is not CSV text: {error}") from error


def delimiter_of(line: str) -> str:
    """Return the one of `DELIMITERS` that is most frequent in a header."""
    return max(DELIMITERS, key=line.count)
