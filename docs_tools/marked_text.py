"""Generated parts of documents, between two marker lines: `<!-- table: NAME -->` and `<!-- end of NAME -->`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from epsl_opt.core.errors import InputError
from epsl_opt.files.writing import write_bytes


def write_marked(path: Path, parts: Mapping[str, Callable[[], str]]) -> None:
    """Write every part anew; the text around the markers stays as it is.

    Parameters
    ----------
    path
        The document, which has marker lines for every part.
    parts
        Name of a part -> function that returns its Markdown.

    Raises
    ------
    InputError
        If the document can't be read or written, or lacks a marker line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError.from_os(str(path), error) from error
    for name, part in parts.items():
        start, end = f"<!-- table: {name} -->", f"<!-- end of {name} -->"
        before, found_start, rest = text.partition(start)
        _, found_end, after = rest.partition(end)
        if not found_start or not found_end:
            raise InputError(str(path), f"lacks the marker lines {start!r} and {end!r}")
        text = f"{before}{start}\n\n{part()}\n\n{end}{after}"
    write_bytes(path, text.encode())


def markdown_table(head: str, rule: str, rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table from its first two lines and the cells of its rows."""
    return "\n".join([head, rule, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])
