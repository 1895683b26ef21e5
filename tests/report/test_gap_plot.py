"""The course of a solve, from the schedule file to the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsl_opt import InputError, Limits, load_instance, solve
from epsl_opt.cli.app import run
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.json_files import read_schedule, write_record
from epsl_opt.report.plots.gap import plot_gap, trace


def _document(solver: str) -> ScheduleDocument:
    instance = load_instance("paper:clients=3,subchannels=8")
    return ScheduleDocument.from_result(instance, solve(instance, solver, Limits(time_s=30)))


def _with_trace(rows: Any) -> ScheduleDocument:
    document = _document("greedy")
    return document.model_copy(update={"provenance": document.provenance | {"trace": rows}})


def test_the_file_keeps_the_trace(tmp_path: Path) -> None:
    """What a schedule file says of the solve ends with its latency and its bound, and survives writing and reading."""
    document = _document("exact")
    write_record(tmp_path / "schedule.json", document)
    time_s, latency_s, bound_s = trace(read_schedule(tmp_path / "schedule.json"))
    assert (np.diff(time_s) >= 0).all()
    assert latency_s[-1] == document.latency_s
    assert bound_s[-1] == document.bound_s


@pytest.mark.parametrize(("solver", "panels"), [("exact", 2), ("greedy", 1)])
def test_a_gap_is_drawn_where_there_is_a_bound(solver: str, panels: int) -> None:
    """A solver without bounds gets a picture of its incumbents alone."""
    assert len(plot_gap(_document(solver)).axes) == panels


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_plot_writes_the_picture(tmp_path: Path, suffix: str) -> None:
    """`epsl-opt plot --kind gap` turns a schedule file into a picture."""
    write_record(tmp_path / "schedule.json", _document("exact"))
    picture = tmp_path / f"gap.{suffix}"
    assert run(["plot", str(tmp_path / "schedule.json"), "--kind", "gap", "-o", str(picture)]) == 0
    assert picture.stat().st_size > 5000


@pytest.mark.parametrize(
    "rows", [None, [], "text", [[1.0]], [["a", 1.0, 1.0]], [[True, 1.0, 1.0]], [[2.0, 1.0, 1.0], [1.0, 1.0, 1.0]]]
)
def test_a_broken_trace_is_refused(rows: Any) -> None:
    """A file without a trace, or with one that is not rows of numbers in time, is an error that names the field."""
    with pytest.raises(InputError, match=r"provenance\.trace"):
        plot_gap(_with_trace(rows))
