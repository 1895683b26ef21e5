"""Points of a study are run once, survive interrupts and failures, and give the same rows however they are run."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from study_toys import Environment, Lists, Newer, Squares, Twins

from epsl_opt import InputError
from epsl_opt.campaigns.engines import ThisProcess
from epsl_opt.campaigns.study_points import point_key, run_point
from epsl_opt.campaigns.study_runs import StudyRuns, run_points
from epsl_opt.plugins.study import Point, Study, StudySize

QUICK = StudySize.QUICK


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where points are kept."""
    folder = tmp_path / "points"
    folder.mkdir()
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the toy notes what it runs."""
    return tmp_path / "log"


def calls(log: Path) -> list[str]:
    """Return the points that were run, and forget them."""
    found = sorted(log.read_text().split()) if log.exists() else []
    log.unlink(missing_ok=True)
    return found


def stop_after(n: int) -> Any:
    """Return a listener that presses Ctrl-C when `n` points are done."""

    def listen(done: int, planned: int, failure: str) -> None:
        if done == n:
            os.kill(os.getpid(), signal.SIGINT)

    return listen


def in_process(study: Study, points: Sequence[Point]) -> list[dict[str, Any]]:
    """Return the rows of points run here."""
    return [dict(row) for point in points for row in run_point(study, "0" * 64, point).rows]


def test_rows_come_in_the_order_of_the_points_with_their_parameters_first(folder: Path) -> None:
    """Rows stand in the order of the points whoever ends first, begin with the parameters, and hold plain values."""
    runs = run_points(Squares(), StudySize.FULL, folder, jobs=2)
    assert runs.rows == tuple(
        row
        for x in range(5)
        for row in ({"x": x, "y": x**2, "root": x / 3, "log": None}, {"x": x, "y": -x, "word": "minus"})
    )
    assert {type(value) for row in runs.rows for value in row.values()} == {int, float, str, type(None)}
    assert next(iter(runs.rows[0])) == "x"


def test_one_job_two_jobs_this_process_and_the_files_give_the_same_rows(tmp_path: Path) -> None:
    """How points are run, or that they are read back, does not show in the rows."""
    study, found = Squares(), []
    for jobs in (1, 2, 1):
        place = tmp_path / str(jobs)
        place.mkdir(exist_ok=True)
        found.append(run_points(study, QUICK, place, jobs=jobs))
    assert found[2] == StudyRuns(found[0].rows, 3, 3, 3, ())
    assert list(found[0].rows) == list(found[1].rows) == in_process(study, study.points(QUICK))


def test_an_interrupted_study_does_the_rest_only(folder: Path, log: Path) -> None:
    """After Ctrl-C, finished points are kept and the same call runs the others, as if nothing had happened."""
    study = Squares(str(log))
    first = run_points(study, StudySize.FULL, folder, jobs=1, listener=stop_after(2))
    begun = calls(log)
    assert first.interrupted
    assert (first.finished, first.failures, len(first.rows)) == (2, (), 4)
    assert begun[:2] == ["0", "1"]
    second = run_points(study, StudySize.FULL, folder, jobs=1)
    assert not second.interrupted
    assert (second.finished, second.reused) == (5, 2)
    assert calls(log) == ["2", "3", "4"]
    assert list(second.rows) == in_process(Squares(), study.points(StudySize.FULL))


def test_a_larger_size_does_the_rest_only(folder: Path, log: Path) -> None:
    """Points that the quick version has run are not run again by the full one."""
    study = Squares(str(log))
    run_points(study, QUICK, folder, engine=ThisProcess())
    calls(log)
    assert run_points(study, StudySize.FULL, folder, engine=ThisProcess()).reused == 3
    assert calls(log) == ["3", "4"]


@pytest.mark.parametrize(
    ("trouble", "why"),
    [("fail 1", "RuntimeError: no square of 1"), ("die 1", "its process ended with exit code 7, 2 times")],
)
def test_a_failed_point_is_told_and_tried_again(
    folder: Path, log: Path, tmp_path: Path, trouble: str, why: str
) -> None:
    """A point that raises, or takes its process down, is named, leaves the others alone, and is run again next time."""
    file = tmp_path / "trouble"
    file.write_text(trouble)
    study = Squares(str(log), str(file))
    heard: list[tuple[int, int, str]] = []
    runs = run_points(study, QUICK, folder, 1, lambda *told: heard.append(told))
    assert runs.failures == (f"{{'x': 1}}: {why}",)
    assert (runs.finished, runs.planned, runs.interrupted) == (2, 3, False)
    assert [told[:2] for told in heard] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert {told[2] for told in heard} == {"", runs.failures[0]}
    calls(log)
    file.write_text("")
    assert run_points(study, QUICK, folder, 1).failures == ()
    assert calls(log) == ["1"]


@pytest.mark.parametrize("damage", ["", "{", '{"format": "other"}', "other key", "nonsense rows"])
def test_a_damaged_point_file_is_told_and_run_again(
    folder: Path, log: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    """A file that is cut off, foreign or wrong costs a warning that names it and one run, and is mended by that."""
    study = Squares(str(log))
    good = run_points(study, QUICK, folder, engine=ThisProcess())
    calls(log)
    path = folder / f"{point_key(study, {'x': 1})}.json"
    content = json.loads(path.read_text())
    damaged = {"other key": content | {"key": "0" * 64}, "nonsense rows": content | {"rows": [1]}}
    path.write_text(json.dumps(damaged[damage]) if damage in damaged else damage)
    with caplog.at_level(logging.WARNING):
        again = run_points(study, QUICK, folder, engine=ThisProcess())
    assert [record.message.partition(":")[0] for record in caplog.records] == [str(path)]
    assert calls(log) == ["1"]
    assert (again.rows, again.reused) == (good.rows, 2)
    assert run_points(study, QUICK, folder, engine=ThisProcess()).reused == 3


def test_points_of_another_revision_are_run_again(folder: Path, log: Path) -> None:
    """Raising a study's revision leaves no kept point in force."""
    run_points(Squares(str(log)), QUICK, folder, engine=ThisProcess())
    assert run_points(Newer(str(log)), QUICK, folder, engine=ThisProcess()).reused == 0


def test_equal_points_are_refused(folder: Path) -> None:
    """A study with a point twice is one line that says so."""
    with pytest.raises(InputError, match=r"^study twins: 1 of its 2 points come twice$"):
        run_points(Twins(), QUICK, folder)


def test_a_cell_is_text_a_number_or_nothing(folder: Path) -> None:
    """A row that could not be written as CSV fails its point, and the column is named."""
    runs = run_points(Lists(), QUICK, folder, engine=ThisProcess())
    assert len(runs.failures) == 3
    assert "column 'y' holds a list" in runs.failures[0]


def test_each_process_computes_on_one_thread(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points see one thread whatever the caller's environment says, and the caller's environment stays as it was."""
    monkeypatch.setenv("OMP_NUM_THREADS", "9")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    runs = run_points(Environment(), QUICK, folder, jobs=1)
    assert [row["threads"] for row in runs.rows] == ["1", "1", "1"]
    assert os.environ["OMP_NUM_THREADS"] == "9"
    assert "MKL_NUM_THREADS" not in os.environ
