"""Runs of a study on disk: each point once, in processes side by side, and none again that is finished."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from epsl_opt.campaigns.engines import LOCAL, Done, Engine, Task, open_engine, run_tasks
from epsl_opt.campaigns.study_points import PointDocument, load_point, point_key, run_point
from epsl_opt.core.errors import InputError
from epsl_opt.core.plain_text import one_line
from epsl_opt.files.json_files import write_record
from epsl_opt.plugins.study import Point, Row, Study, StudySize

log = logging.getLogger(__name__)


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
    study: Study,
    size: StudySize,
    folder: Path,
    jobs: int | None = None,
    listener: Listener | None = None,
    engine: Engine | None = None,
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
    engine
        Where the points are run, in place of `jobs` processes of this machine.

    Raises
    ------
    InputError
        If the folder can't be written to, or two points of the study are equal.
    EngineError
        If what runs the points has gone.
    """
    planned = _keyed(study, study.points(size))
    found = {key: kept for key in planned if (kept := load_point(folder / f"{key}.json", key)) is not None}
    reused, failed = len(found), dict[str, str]()
    tell = listener or (lambda done, planned, failure: None)
    tell(len(found), len(planned), "")
    todo = [Task(key, str(dict(point)), (study, key, point)) for key, point in planned.items() if key not in found]
    with (
        contextlib.suppress(KeyboardInterrupt),
        _engine(engine, jobs) as where,
        contextlib.closing(run_tasks(_run, todo, where)) as runs,
    ):
        for task, outcome in runs:
            if isinstance(outcome, Done):
                _keep(folder / f"{task.key}.json", outcome.value)
                found[task.key] = outcome.value
            else:
                failed[task.key] = one_line(f"{task.label}: {outcome.message}")
            tell(len(found) + len(failed), len(planned), failed.get(task.key, ""))
    rows = tuple(row for key in planned if key in found for row in found[key].rows)
    failures = tuple(failed[key] for key in planned if key in failed)
    return StudyRuns(rows, len(planned), len(found), reused, failures)


def _keyed(study: Study, points: Sequence[Point]) -> dict[str, Point]:
    keyed = {point_key(study, point): point for point in points}
    if len(keyed) < len(points):
        raise InputError(f"study {study.name}", f"{len(points) - len(keyed)} of its {len(points)} points come twice")
    return keyed


def _keep(path: Path, document: PointDocument) -> None:
    """Keep a point; where that fails, it is told, and the study goes on."""
    try:
        write_record(path, document)
    except InputError as error:
        log.warning("%s; this point is not kept", error)


def _engine(engine: Engine | None, jobs: int | None) -> contextlib.AbstractContextManager[Engine]:
    """Return the caller's engine, to be left open, or one of our own."""
    return open_engine(LOCAL, jobs) if engine is None else contextlib.nullcontext(engine)


def _run(asked: tuple[Study, str, Point]) -> PointDocument:
    return run_point(*asked)
