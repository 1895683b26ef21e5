"""What a campaign found, as a table on the terminal and in the documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from campaign.faults import FaultKind
from campaign.run import PartResult, by_kind
from docs_tools.marked_text import markdown_table, write_marked

COLUMNS = ("part", "inputs", "faults", "seconds")


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


def write_summary(document: Path, command: str, results: Sequence[PartResult]) -> None:
    """Write the campaign's command and figures, and the list of faults, between the marker lines of a document."""
    parts: Mapping[str, Callable[[], str]] = {
        "campaign": lambda: f"`{command}`:\n\n{_markdown(results)}",
        "faults": faults_table,
    }
    write_marked(document, parts)


def faults_table() -> str:
    """List what counts as a fault."""
    rows = ((kind.label, kind.meaning) for kind in FaultKind)
    return markdown_table("| fault | meaning |", "|---|---|", rows)


def _markdown(results: Sequence[PartResult]) -> str:
    return markdown_table("| part | inputs | faults | seconds |", "|---|--:|--:|--:|", _rows(results))


def _rows(results: Sequence[PartResult]) -> list[tuple[str, ...]]:
    rows = [
        (f"{r.name}: {r.title}", f"{r.inputs:,}", f"{len(r.faults):,}", f"{r.elapsed_s:.0f}")
        for r in results
        if r.missing is None
    ]
    inputs, faults = sum(r.inputs for r in results), sum(len(r.faults) for r in results)
    return [*rows, ("all", f"{inputs:,}", f"{faults:,}", f"{sum(r.elapsed_s for r in results):.0f}")]
