"""Rows as CSV text and back, the same everywhere."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from epsl_opt.core.errors import InputError
from epsl_opt.core.plain_text import one_line

DELIMITERS = ",;\t|"

_MARKS = r"[-=+@\uff0d\uff1d\uff0b\uff20]"
_RUN = re.compile(f"'*{_MARKS}.")
"""What a spreadsheet takes for a formula, at the start of a cell; also behind apostrophes, so that one can be told."""

_QUOTED = re.compile(f"'+{_MARKS}.")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def format_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV with a header; None is an empty cell, floats keep every digit, other keys are left out.

    Text is made harmless: control characters are escaped, and what a spreadsheet would run gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue()


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


def original(cell: str) -> str:
    """Return a text as it was before `format_csv` put an apostrophe in front."""
    return cell[1:] if _QUOTED.match(cell) else cell


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if _RUN.match(text) and not _NUMBER.fullmatch(text) else text
