"""Rows as CSV text, the same everywhere."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

from epsl_opt.core.plain_text import one_line

_MARKS = r"[-=+@\uff0d\uff1d\uff0b\uff20]"
_RUN = re.compile(f"'*{_MARKS}.")
"""What a spreadsheet takes for a formula, at the start of a cell; also behind apostrophes, so that one can be told."""

_QUOTED = re.compile(f"'+{_MARKS}.")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def format_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Return rows as CSV with a header; None is an empty cell, floats keep every digit, other keys are left out.

    Text is made harmless: control characters are escaped, and what a spreadsheet would run gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, columns))
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue()


def original(cell: str) -> str:
    """Return a text as it was before `format_csv` put an apostrophe in front."""
    return cell[1:] if _QUOTED.match(cell) else cell


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if _RUN.match(text) and not _NUMBER.fullmatch(text) else text
