"""What goes to stdout: tables for people, JSON and CSV for programs."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from epsl_opt.core.plain_text import one_line, shorten

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

PIPED_WIDTH = 4000
"""Columns when stdout is no terminal: wide enough that nothing is ever folded."""

MAX_CELL = 1000
"""Characters of a cell of a table; JSON and CSV have all."""


def emit(text: str) -> None:
    """Write to stdout; a reader who has left is no error.

    Raises
    ------
    InputError
        If stdout does not take it, as on a full disk.
    """
    try:
        sys.stdout.write(_encodable(text))
        sys.stdout.flush()
    except BrokenPipeError:
        close_stdout()
    except OSError as error:
        from epsl_opt.core.errors import InputError

        close_stdout()
        raise InputError.from_os("standard output", error) from error


def close_stdout() -> None:
    """Send what is still buffered, and would fail again when the interpreter closes stdout, nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def emit_json(data: object) -> None:
    """Write one JSON document."""
    from epsl_opt.core.json_text import format_json

    emit(format_json(data))


def emit_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows as CSV with a header."""
    from epsl_opt.files.csv_text import format_csv

    emit(format_csv(columns, rows))


def emit_tables(*parts: RenderableType) -> None:
    """Write rich renderables: coloured on a terminal, plain and unfolded in a pipe or under NO_COLOR."""
    from rich.console import Console
    from rich.text import Text

    terminal = sys.stdout.isatty()
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    text = io.StringIO()
    console = Console(
        file=text,
        force_terminal=colour,
        color_system="auto" if colour else None,
        no_color=not colour,
        width=None if terminal else PIPED_WIDTH,
        highlight=False,
        legacy_windows=False,
    )
    for part in parts:
        console.print(Text(one_line(part)) if isinstance(part, str) else part)
    emit("".join(line.rstrip() + "\n" for line in text.getvalue().splitlines()) if not colour else text.getvalue())


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int = 1) -> Table:
    """Return a table whose first `text_columns` columns are text and the others numbers."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    unicode = "utf" in (sys.stdout.encoding or "ascii").lower()
    made = Table(
        title=_text(title),
        title_justify="left",
        box=box.SIMPLE_HEAD if unicode else box.ASCII2,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for position, column in enumerate(columns):
        made.add_column(Text(column), justify="left" if position < text_columns else "right", overflow="fold")
    for row in rows:
        made.add_row(*map(_text, row))
    return made


def facts(title: str, pairs: Iterable[tuple[str, str]]) -> Table:
    """Return a two-column table of names and values."""
    made = table(title, ("", ""), pairs, text_columns=2)
    made.show_header = False
    made.box = None
    made.padding = (0, 1)
    return made


def _text(cell: str) -> Text:
    """Return what may come from a file as text that no terminal obeys."""
    from rich.text import Text

    return Text(shorten(one_line(cell), MAX_CELL))


def _encodable(text: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, errors="replace").decode(encoding)
