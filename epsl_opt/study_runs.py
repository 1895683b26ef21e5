"""Runs of a study on disk: each point once, in processes side by side, and none again that is finished."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from epsl_opt.errors import InputError, one_line
from epsl_opt.files import write_record
from epsl_opt.study import Point, Row, Study, StudySize
from epsl_opt.study_points import PointDocument, load_point, point_key
from epsl_opt.study_processes import run_all


@dataclass(frozen=True)
class StudyRuns:
    """What a study's runs left behind: rows of the finished points, messages of those that failed."""

    rows: tuple[Row, ...]
    planned: int
    finished: int
    reused: int
    failures: tuple[str, ...]

    @property
    def interrupted(self) -> bool:
        """Whether points were left out because the user asked to stop."""
        return self.finished + len(self.failures) < self.planned


Listener = Callable[[int, int, str], None]
"""Hears of points done, points planned, and why the last one failed if it did; first before anything is run."""


def run_points(
    study: Study, size: StudySize, folder: Path, jobs: int | None = None, listener: Listener | None = None
) -> StudyRuns:
    """Run what is not in `folder` yet; one file per finished point is kept there.

    A point that fails is told and does not keep the others from running; it is run again next time. Ctrl-C ends the
    runs; what is finished counts.

    Parameters
    ----------
    study
        What to run. Its class must be importable: the points are run in processes of their own.
    size
        How many points.
    folder
        Where finished points are kept.
    jobs
        Processes side by side; one per processor that may be used if None.
    listener
        Hears how far it is.

    Raises
    ------
    InputError
        If the folder can't be written to, or two points of the study are equal.
    """
    planned = _keyed(study, study.points(size))
    found = {key: kept for key in planned if (kept := load_point(folder / f"{key}.json", key)) is not None}
    reused, failed = len(found), dict[str, str]()
    tell = listener or (lambda done, planned, failure: None)
    tell(len(found), len(planned), "")
    todo = [(key, point) for key, point in planned.items() if key not in found]
    with (
        contextlib.suppress(KeyboardInterrupt),
        contextlib.closing(run_all(study, todo, jobs or _processors())) as runs,
    ):
        for key, outcome in runs:
            if isinstance(outcome, PointDocument):
                write_record(folder / f"{key}.json", outcome)
                found[key] = outcome
            else:
                failed[key] = one_line(outcome)
            tell(len(found) + len(failed), len(planned), failed.get(key, ""))
    rows = tuple(row for key in planned if key in found for row in found[key].rows)
    failures = tuple(failed[key] for key in planned if key in failed)
    return StudyRuns(rows, len(planned), len(found), reused, failures)


def _keyed(study: Study, points: Sequence[Point]) -> dict[str, Point]:
    keyed = {point_key(study, point): point for point in points}
    if len(keyed) < len(points):
        raise InputError(f"study {study.name}", f"{len(points) - len(keyed)} of its {len(points)} points come twice")
    return keyed


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
