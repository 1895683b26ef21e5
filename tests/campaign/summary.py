"""What a campaign found, as a table on the terminal and in the documentation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from campaign.faults import FaultKind
from campaign.run import PartResult, by_kind
from docs_tools.marked_text import markdown_table, write_marked

COLUMNS = ("part", "inputs", "faults", "seconds")
KEPT = r"^\| ((\w+): .+?) \| ([\d,]+) \| ([\d,]+) \| (\d+) \| (`make campaign .+?`) \|$"
"""A row of a part in the documentation."""


def summary_text(results: Sequence[PartResult]) -> str:
    """Return the table of parts, and a line for every kind of fault in a part."""
    rows = [COLUMNS, *_rows(results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = [
        "  ".join(cell.ljust(widths[i]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(row))
        for row in rows
    ]
    for result in results:
        lines += [f"{result.name}: {count} x {kind}" for kind, count in by_kind(result).most_common()]
        lines += [f"{result.name}: not run, {result.missing}"] if result.missing else []
    return "\n".join(lines)


def write_summary(document: Path, seed: int, results: Sequence[PartResult]) -> None:
    """Write figures and commands, and the list of faults, between the marker lines of a document.

    Inputs are told by part, seed and number alone, so a part that was not run keeps its row.
    """
    rows = _kept_rows(document.read_text(encoding="utf-8"))
    for result in results:
        command = f"`make campaign PART={result.name} INPUTS={result.inputs} SEED={seed}`"
        if result.missing is None:
            rows[result.name] = (*_cells(result), command)
    inputs, faults, seconds = (sum(int(row[i].replace(",", "")) for row in rows.values()) for i in (1, 2, 3))
    table = [*rows.values(), ("all", f"{inputs:,}", f"{faults:,}", f"{seconds}", "")]
    parts: Mapping[str, Callable[[], str]] = {
        "campaign": lambda: markdown_table(
            "| part | inputs | faults | seconds | command |", "|---|--:|--:|--:|---|", table
        ),
        "faults": faults_table,
    }
    write_marked(document, parts)


def _kept_rows(text: str) -> dict[str, tuple[str, ...]]:
    """Return the rows that a document has, by part."""
    found = re.findall(KEPT, text, re.MULTILINE)
    return {name: (title, *rest) for title, name, *rest in found}


def faults_table() -> str:
    """List what counts as a fault."""
    rows = ((kind.label, kind.meaning) for kind in FaultKind)
    return markdown_table("| fault | meaning |", "|---|---|", rows)


def _rows(results: Sequence[PartResult]) -> list[tuple[str, ...]]:
    rows = [_cells(result) for result in results if result.missing is None]
    inputs, faults = sum(r.inputs for r in results), sum(len(r.faults) for r in results)
    return [*rows, ("all", f"{inputs:,}", f"{faults:,}", f"{sum(r.elapsed_s for r in results):.0f}")]


def _cells(result: PartResult) -> tuple[str, ...]:
    faults, seconds = f"{len(result.faults):,}", f"{result.elapsed_s:.0f}"
    return f"{result.name}: {result.title}", f"{result.inputs:,}", faults, seconds
