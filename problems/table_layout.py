"""Headers and index columns of CSV tables as pandas and spreadsheets write them, told apart from numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from epsl_opt.core.plain_text import shown

NUMBER = re.compile(r"[+-]?(?P<digits>\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
WORD = re.compile(r"[#\"']?\s*[^\W\d_].*", re.DOTALL)
"""A name begins with a letter: what begins like a number and is none is a wrong number."""

NO_VALUE = re.compile(r"(?:na|n/?a|<na>|nan|none|null|missing|inf|infinity|blocked|true|false)", re.IGNORECASE)
CORNER = re.compile(r"|unnamed: 0|index|idx|id|row|name|(?:clients?|users?|ues?|devices?)(?:[-_ ]?(?:id|name|index))?")
"""Names, in lower case, of a column that numbers or names the clients."""

QUANTITY = re.compile(
    r"(?:sub-?)?(?:channels?|carriers?)|(?:\D*[-_ ])?(?:gain|snr|loss|power|value|distance)(?:[-_ ]\D*)?"
)
"""Names, in lower case, of what a table of one value a line holds, which is not what is read here."""


HOW_TO_SAY = "write numbers with a point (0.0) and names with a letter (k0)"


class UnclearLayoutError(ValueError):
    """A table whose first row or column may be numbers or names."""


@dataclass(frozen=True)
class Layout:
    """Whether the first row and the first column are names rather than numbers."""

    header: bool
    index: bool


def layout_of(rows: list[list[str]]) -> Layout:
    """Tell the layout of a table from its cells, stripped of space; without a sign of names it is plain.

    Raises
    ------
    UnclearLayoutError
        If names and numbers can't be told apart, or the table has one value a line.
    """
    if len(rows) < 2:
        _refuse_counting_column(rows)
        return Layout(header=False, index=False)
    header = _is_header(rows)
    body = rows[1:] if header else rows
    index = _is_index(rows[0], body) if header else _is_lone_index(body)
    if header:
        _refuse_quantities(rows[0], index and len(rows[0]) == len(body[0]))
    _refuse_one_value_a_line(body)
    return Layout(header, index)


def _is_header(rows: list[list[str]]) -> bool:
    first, body = rows[0], rows[1:]
    column = [row[0] for row in body]
    names = first[1:] if CORNER.fullmatch(first[0].lower()) else first
    if len(first) == len(body[0]) - 1:  # nothing over the index, as R writes it
        return (_are_names(first) or _counts_from_zero(first)) and (_are_names(column) or _counts_from_zero(column))
    if len(first) != len(body[0]):
        return False
    if names and _are_names(names):
        return True
    if len(names) < len(first) and not any(name.startswith("-") for name in names):
        return _counts_from_zero(names) or _counts_from_zero(column) or _are_names(column)
    return _is_counting_row(first, [cell for row in body for cell in row])


def _is_counting_row(cells: list[str], rest: list[str]) -> bool:
    """Return whether cells count 0, 1, 2, ... as pandas does, beside numbers that do not look like that.

    Raises
    ------
    UnclearLayoutError
        If they count in another way, or the numbers beside are whole as well.
    """
    from_zero = _counts_from_zero(cells)
    if not _counts(cells) or (from_zero and all(cell.startswith("-") for cell in rest)):
        return from_zero
    if any(NUMBER.fullmatch(cell) and not WHOLE.fullmatch(cell) for cell in rest):
        if from_zero and len(cells) > 1:
            return True
    elif not from_zero or not all(WHOLE.fullmatch(cell) for cell in rest):
        return False
    raise UnclearLayoutError(f"may be numbers or names ({', '.join(cells[:3])}); {HOW_TO_SAY}")


def _is_index(header: list[str], body: list[list[str]]) -> bool:
    """Return whether the first column of a table with a header is an index."""
    column = [row[0] for row in body]
    if len(header) < len(body[0]) or _are_names(column):
        return True
    corner = CORNER.fullmatch(header[0].lower()) is not None
    if corner and all(WHOLE.fullmatch(cell) or not NUMBER.fullmatch(cell) for cell in column):
        return True
    if corner or (_counts_from_zero(column) and len(body[0]) > 1):
        raise UnclearLayoutError(f"{header[0]!r} may stand over gains or over the clients' names; {HOW_TO_SAY}")
    return False


def _is_lone_index(rows: list[list[str]]) -> bool:
    """Return whether the first column of a table without a header is an index."""
    column, rest = [row[0] for row in rows], [cell for row in rows for cell in row[1:]]
    return bool(rest) and (_are_names(column) or _is_counting_row(column, rest))


def _refuse_counting_column(rows: list[list[str]]) -> None:
    """Refuse a single row that begins with a whole 0 before numbers that are not whole."""
    for row in rows:
        if row[0] == "0" and any(not WHOLE.fullmatch(cell) for cell in row[1:]):
            raise UnclearLayoutError(f"the 0 in front may be a number or a name; {HOW_TO_SAY}")


def _refuse_quantities(header: list[str], index: bool) -> None:
    wrong = [name for name in header[index:] if QUANTITY.fullmatch(name.lower())]
    if wrong:
        problem = f"a column of {shown(wrong[0])} is none of a subchannel"
        raise UnclearLayoutError(f"must be a finite number, got {shown(header[0])}: {problem}")


def _refuse_one_value_a_line(body: list[list[str]]) -> None:
    """Refuse client, subchannel and value in three columns."""
    pairs = [(row[0], row[1]) for row in body if len(row) == 3 and all(WHOLE.fullmatch(cell) for cell in row[:2])]
    firsts, seconds = ({pair[k] for pair in pairs} for k in (0, 1))
    if len(pairs) == len(body) > 3 and len(set(pairs)) == len(pairs) == len(firsts) * len(seconds):
        raise UnclearLayoutError("seems to have a client, a subchannel and one value a line; give a row a client")


def _are_names(cells: list[str]) -> bool:
    """Return whether all cells are words, each another, of which none stands for a missing number."""
    words = all(WORD.fullmatch(cell) and not NO_VALUE.fullmatch(cell) for cell in cells)
    return words and len(set(cells)) == len(cells)


def _counts(cells: list[str]) -> bool:
    """Return whether cells are whole numbers from 0 in steps of one, or three and more in even steps from anywhere."""
    if not all(WHOLE.fullmatch(cell) and not cell.startswith(("-", "+")) for cell in cells):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(cells)}
    return _counts_from_zero(cells) or (len(cells) > 2 and len(steps) == 1 and min(steps) > 0)


def _counts_from_zero(cells: list[str]) -> bool:
    return cells == [str(k) for k in range(len(cells))]
