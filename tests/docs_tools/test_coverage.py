"""Coverage is told by room: every file counts in the room it belongs to, and the rooms add up to the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs_tools.coverage import by_room, room_of, table

ROOT = Path(__file__).parents[2]
ROOMS = {path.name for path in (ROOT / "epsl_opt").iterdir() if path.is_dir() and path.name != "__pycache__"}


@pytest.mark.parametrize("folder", ["epsl_opt", "solvers", "problems", "backends"])
def test_every_source_file_is_in_a_room(folder: str) -> None:
    """A file of a room counts there, also where the room stands beside the package; the others are the package's."""
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py")]
    found = {room_of(file) for file in files}
    expected = {folder} if folder != "epsl_opt" else ROOMS - {"solvers", "problems", "backends"} | {"epsl_opt"}
    assert found == expected


def test_rooms_add_up() -> None:
    """A room has what its files have, the last line what the rooms have; no branches are no share."""
    names = ("num_statements", "covered_lines", "num_branches", "covered_branches")
    counts = {
        "epsl_opt/core/a.py": (10, 9, 4, 1),
        "epsl_opt/core/b.py": (10, 7, 0, 0),
        "solvers/exact/c.py": (20, 4, 0, 0),
    }
    rooms = by_room({file: dict(zip(names, numbers, strict=True)) for file, numbers in counts.items()})
    assert [line.split() for line in table(rooms).splitlines()[1:]] == [
        ["core", "20", "80.0%", "4", "25.0%"],
        ["solvers", "20", "20.0%", "0", "-"],
        ["all", "40", "50.0%", "4", "25.0%"],
    ]
