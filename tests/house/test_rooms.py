"""The rooms stand on floors: who imports whom is as `pyproject.toml` says."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from graphlib import CycleError
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs_tools.imports import PACKAGE, by_room, drawing, floors, imports, modules

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
names = st.integers(0, 7).map(str)
graphs = st.dictionaries(names, st.sets(names), max_size=8)


def test_every_contract_is_kept() -> None:
    """import-linter finds no import against the floors, and no circle."""
    pytest.importorskip("importlinter")
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_a_floor_and_a_line_of_explanation() -> None:
    """Each folder of the package is on one floor of the contract, and CONTRIBUTING says what it holds."""
    layers = next(contract["layers"] for contract in CONTRACTS if contract["type"] == "layers")
    placed = [room.strip() for layer in layers for room in layer.split("|")]
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(placed) == sorted(rooms)
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [room for room in sorted(rooms) if f"| `{room}/`" not in text] == []


def test_the_checkouts_package_is_whole() -> None:
    """The links show the package with all its parts, each module once."""
    found = modules(PACKAGE)
    assert {"epsl_opt.solvers.brute_force", "epsl_opt.problems.scenario", "epsl_opt.backends.pytorch"} <= found.keys()
    assert len({path.resolve() for path in found.values()}) == len(found)


def test_rooms_form_no_circle() -> None:
    """The drawing of the rooms can be made, and shows each of them."""
    graph = by_room(imports(PACKAGE))
    assert [room for room in graph if f"  {room}" not in drawing(graph)] == []


@given(graphs)
def test_floors_are_as_low_as_they_can_be(graph: dict[str, set[str]]) -> None:
    """A name stands one above the highest that it imports; where that can't be, there is a circle."""
    try:
        stories = floors(graph)
    except CycleError as error:
        circle = error.args[1]
        assert all(one in graph.get(user, ()) for one, user in pairwise(circle))
        return
    level = {name: number for number, story in enumerate(stories) for name in story}
    assert all(level[name] == max((level[one] + 1 for one in graph.get(name, ())), default=0) for name in level)
