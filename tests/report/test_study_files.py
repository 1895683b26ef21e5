"""What a study writes is whole, reads back, and says the same each time."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from study_toys import Mute, Squares

from epsl_opt import InputError
from epsl_opt.campaigns.study_points import point_key, run_point
from epsl_opt.campaigns.study_runs import StudyRuns
from epsl_opt.plugins.study import Section, Study, StudySize, Table, Verdict
from epsl_opt.report.study_files import columns_of, read_section, write_study

QUICK = StudySize.QUICK


def runs_of(study: Study, size: StudySize = QUICK) -> StudyRuns:
    """Run all points here."""
    points = study.points(size)
    rows = [row for point in points for row in run_point(study, point_key(study, point), point).rows]
    return StudyRuns(tuple(rows), len(points), len(points), 0, ())


def written(folder: Path, study: Study, size: StudySize = QUICK) -> dict[str, bytes]:
    """Return every file that a study writes, by name."""
    folder.mkdir(exist_ok=True)
    write_study(folder, study, size, runs_of(study, size))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def table(content: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    return list(csv.DictReader(content.decode().splitlines()))


def test_a_figure_has_its_numbers_beside_it(tmp_path: Path) -> None:
    """Each figure is written as PNG and SVG, with all its numbers as CSV under the same name."""
    files = written(tmp_path, Squares())
    assert set(files) == {"section.json", "rows.csv", "both.csv", "squares.csv", "squares.png", "squares.svg"}
    assert table(files["squares.csv"]) == [{"x": str(x), "y": str(x**2)} for x in range(3)]
    assert files["squares.png"].startswith(b"\x89PNG")
    assert b"<svg" in files["squares.svg"]


def test_all_rows_are_kept_with_every_digit(tmp_path: Path) -> None:
    """The table of all rows has every column of every row, empty where a row has none, and loses no digit."""
    study = Squares()
    rows = runs_of(study).rows
    found = table(written(tmp_path, study)["rows.csv"])
    assert list(found[0]) == list(columns_of(rows)) == ["x", "y", "root", "log", "word"]
    assert [float(row["root"]) for row in found[::2]] == [x / 3 for x in range(3)]
    assert {row["word"] for row in found[::2]} == {""}


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    """A study written twice gives the same files, pictures included."""
    assert written(tmp_path / "a", Squares()) == written(tmp_path / "b", Squares())


def test_a_section_reads_back(tmp_path: Path) -> None:
    """What is written about a study is what is read."""
    runs = replace(runs_of(Squares()), planned=4, failures=("x: it broke",))
    document = write_study(tmp_path, Squares(), QUICK, runs)
    assert read_section(tmp_path) == document
    assert (document.planned, document.finished, document.failures) == (4, 3, ("x: it broke",))
    assert document.findings[0].verdict == Verdict.HOLDS


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": "epsl-opt/instance"}, "format: must be 'epsl-opt/study'"),
        ({"version": 2}, "version: must be 1"),
        ({"size": "huge"}, "size: "),
        ({"extra": 1}, "extra: unknown field"),
        ({"findings": [{"claim": "a", "verdict": "perhaps", "evidence": "b"}]}, "findings[0].verdict: "),
        ({"tables": [{"name": "../../passwd", "caption": ""}]}, "tables[0].name: "),
        ({"pictures": [{"name": "a/b", "caption": "", "alt": ""}]}, "pictures[0].name: "),
        ({"study": "a\nb"}, "study: "),
    ],
    ids=str,
)
def test_a_wrong_section_is_refused(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    """A section file that is not as written is one line that names file and field; names can't lead elsewhere."""
    written(tmp_path, Squares())
    path = tmp_path / "section.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError) as caught:
        read_section(tmp_path)
    assert str(caught.value).startswith(f"{path}: {problem}")


class Clumsy(Squares):
    """Concludes with whatever it was given."""

    def __init__(self, **fields: Any) -> None:
        super().__init__()
        self.fields = fields

    def conclude(self, rows: Any, size: StudySize) -> Section:
        """Replace parts of a good section."""
        return replace(super().conclude(rows, size), **self.fields)


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ([Table("rows", "", ("x",), [])], "are called rows"),
        ([Table("squares", "", ("x",), [])], "are called squares"),
        ([Table("a", "", ("x",), []), Table("a", "", ("x",), [])], "are called a"),
        ([Table("a", "", ("x", "y"), [{"x": 1}])], "a row of a lacks y"),
        ([Table("../a", "", ("x",), [])], "name"),
    ],
    ids=str,
)
def test_what_does_not_fit_together_is_not_written(tmp_path: Path, tables: list[Table], problem: str) -> None:
    """Two files of one name, a missing column or a name that is no file name leave no section and no table behind."""
    with pytest.raises(ValueError, match=problem):
        write_study(tmp_path, Clumsy(tables=tables), QUICK, runs_of(Squares()))
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_rows_are_kept_even_if_nothing_can_be_concluded(tmp_path: Path) -> None:
    """A study whose conclusion fails leaves its rows, and an older section as it was."""
    before = written(tmp_path, Squares())
    with pytest.raises(ZeroDivisionError):
        write_study(tmp_path, Mute(), StudySize.FULL, runs_of(Squares(), StudySize.FULL))
    assert len(table((tmp_path / "rows.csv").read_bytes())) == 10
    assert (tmp_path / "section.json").read_bytes() == before["section.json"]
