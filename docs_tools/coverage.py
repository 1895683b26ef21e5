"""What the tests run of each room, as a table, from coverage's JSON report: `python -m docs_tools.coverage FILE`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

Counts = Mapping[str, int]
"""Of a file or a room: coverage's `num_statements`, `covered_lines`, `num_branches`, `covered_branches`."""

COLUMNS = ("room", "statements", "run", "branches", "taken")


def room_of(file: str) -> str:
    """Return the room of a source file, by its path from the root of the checkout."""
    parts = PurePath(file).parts
    inside = parts[1:] if parts[0] == "epsl_opt" else parts
    return inside[0] if len(inside) > 1 else "epsl_opt"


def by_room(files: Mapping[str, Counts]) -> dict[str, Counts]:
    """Add the files up, rooms in alphabetical order."""
    rooms: dict[str, Counter[str]] = {}
    for file, counts in files.items():
        rooms.setdefault(room_of(file), Counter()).update(counts)
    return {room: rooms[room] for room in sorted(rooms)}


def table(rooms: Mapping[str, Counts]) -> str:
    """Return one line a room, and one for all."""
    everything = Counter[str]()
    for counts in rooms.values():
        everything.update(counts)
    rows = [COLUMNS, *(_row(*room) for room in rooms.items()), _row("all", everything)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(_cells(row, widths)) for row in rows)


def _row(room: str, counts: Counts) -> tuple[str, ...]:
    statements, branches = counts["num_statements"], counts["num_branches"]
    run, taken = _share(counts["covered_lines"], statements), _share(counts["covered_branches"], branches)
    return room, f"{statements:,}", run, f"{branches:,}", taken


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _cells(row: tuple[str, ...], widths: list[int]) -> Iterator[str]:
    yield row[0].ljust(widths[0])
    yield from (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))


if __name__ == "__main__":
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(table(by_room({file: found["summary"] for file, found in report["files"].items()})))
