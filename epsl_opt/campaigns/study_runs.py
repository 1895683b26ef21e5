"""The points of a study, as a campaign."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from epsl_opt.campaigns.campaign import Campaign
from epsl_opt.campaigns.engines import LOCAL, Engine, Outcomes, Task, open_engine, run_tasks
from epsl_opt.campaigns.store import Store
from epsl_opt.campaigns.study_points import PointDocument, point_key, run_point
from epsl_opt.core.errors import InputError
from epsl_opt.plugins.study import Point, Row, Study, StudySize


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
    with open_engine(LOCAL, jobs) if engine is None else contextlib.nullcontext(engine) as where:
        campaign = _StudyCampaign(study, _keyed(study, study.points(size)), folder, listener, where)
        campaign.run()
    found, failed = campaign.found, campaign.failed
    rows = tuple(row for key in campaign.jobs if key in found for row in found[key].rows)
    failures = tuple(failed[key] for key in campaign.jobs if key in failed)
    return StudyRuns(rows, len(campaign.jobs), len(found), campaign.reused, failures)


class _StudyCampaign(Campaign[Point, PointDocument, PointDocument]):
    """The points of a study, kept in a folder."""

    def __init__(
        self, study: Study, points: Mapping[str, Point], folder: Path, listener: Listener | None, engine: Engine
    ) -> None:
        self._study, self._listener = study, listener
        self._store = Store(folder, PointDocument, "point")
        super().__init__(points, self._store, engine)

    def load(self, key: str, job: Point) -> PointDocument | None:
        return self._store.load(key)

    def make(self, left: Mapping[str, Point]) -> Outcomes[tuple[str, Point], PointDocument]:
        tasks = [Task(key, str(dict(point)), (key, point)) for key, point in left.items()]
        return run_tasks(partial(_run, self._study), tasks, self.engine)

    def keep(self, key: str, value: PointDocument) -> PointDocument:
        self._store.save(value)
        return value

    def tell(self, failure: str = "") -> None:
        if self._listener is not None:
            self._listener(self.done, len(self.jobs), failure)


def _run(study: Study, asked: tuple[str, Point]) -> PointDocument:
    return run_point(study, *asked)


def _keyed(study: Study, points: Sequence[Point]) -> dict[str, Point]:
    keyed = {point_key(study, point): point for point in points}
    if len(keyed) < len(points):
        raise InputError(f"study {study.name}", f"{len(points) - len(keyed)} of its {len(points)} points come twice")
    return keyed
