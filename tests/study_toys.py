"""Toy studies that behave well or badly; processes of their own find them here, as `tests/` is on the path."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from epsl_opt.plugins.study import Finding, Picture, Point, Row, Section, Study, StudySize, Table, Verdict

if TYPE_CHECKING:  # processes start quicker without
    import pytest

MANY = {StudySize.QUICK: 3, StudySize.FULL: 5}


class Squares(Study):
    """Squares numbers, and leaves a line in a log for each point it runs."""

    name: ClassVar[str] = "squares"
    title: ClassVar[str] = "Squares & <b>their</b> roots"
    question: ClassVar[str] = 'What is a "square"?'

    def __init__(self, log: str = os.devnull, trouble: str = "") -> None:
        self.log, self.trouble = log, trouble

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return a number each."""
        return [{"x": x} for x in range(MANY[size])]

    def run(self, point: Point) -> Sequence[dict[str, Any]]:
        """Return the square; what the trouble file names fails (`fail 1`) or takes the process down (`die 1`)."""
        x = int(point["x"] or 0)
        with Path(self.log).open("a") as log:
            log.write(f"{x}\n")
        print("chatter on standard output")
        trouble = Path(self.trouble).read_text() if self.trouble else ""
        if re.search(rf"fail {x}\b", trouble):
            raise RuntimeError(f"no square of {x}")
        if re.search(rf"die {x}\b", trouble):
            os._exit(7)
        return [{"y": np.int64(x**2), "root": np.float64(x) / 3, "log": float("nan")}, {"y": -x, "word": "minus"}]

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Draw the squares and keep them in a table."""
        from epsl_opt.report.plots.style import new_figure, styled

        squares = [row for row in rows if row.get("word") is None]
        with styled():
            figure = new_figure(2, 2)
            figure.subplots().plot([row["x"] for row in squares], [row["y"] for row in squares])
        numbers = Table("squares", "x and its square", ("x", "y"), squares)
        return Section(
            setting=["Numbers & their squares."],
            findings=[Finding("squares grow", Verdict.HOLDS, f"{len(squares)} of them")],
            pictures=[Picture("squares", 'The <i>"curve"</i>', 'It rises & "rises"', figure, numbers)],
            tables=[Table("both", "Everything <script>", ("x", "y", "root", "word"), [*map(_filled, rows)])],
            limits=["Only whole numbers."],
        )


def _filled(row: Row) -> dict[str, Any]:
    return {"x": None, "y": None, "root": None, "word": None} | dict(row)


class Cubes(Squares):
    """Needs what is not there."""

    name: ClassVar[str] = "cubes"

    def missing(self) -> str | None:
        """Say so."""
        return "cubes take a third dimension"


class Mute(Squares):
    """Can't conclude anything."""

    name: ClassVar[str] = "mute"

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Fail."""
        raise ZeroDivisionError("nothing to divide")


class Twins(Squares):
    """Runs one point twice."""

    name: ClassVar[str] = "twins"

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return equal points."""
        return [{"x": 1}, {"x": 1}]


class Lists(Squares):
    """Has a cell that is no cell."""

    name: ClassVar[str] = "lists"

    def run(self, point: Point) -> Sequence[dict[str, Any]]:
        """Return a list in a cell."""
        return [{"y": [1, 2]}]


class Newer(Squares):
    """Squares whose rows have changed."""

    revision: ClassVar[int] = 2


class Environment(Squares):
    """Tells how many threads it may take."""

    name: ClassVar[str] = "environment"

    def run(self, point: Point) -> Sequence[dict[str, Any]]:
        """Return the variable."""
        return [{"threads": os.environ["OMP_NUM_THREADS"]}]


def register_studies(monkeypatch: pytest.MonkeyPatch, *studies: type[Study]) -> None:
    """Make these the only registered studies."""
    from cli_toys import FakeEntry

    from epsl_opt.plugins import registry

    genuine = registry._entries
    entries: dict[str, Any] = {study.name: FakeEntry(study) for study in studies}
    monkeypatch.setattr(registry, "_entries", lambda group: entries if group == registry.STUDIES else genuine(group))
