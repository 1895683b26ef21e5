"""Runs of a study on disk: each point once, in processes side by side, and none again that is finished."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from epsl_opt.errors import InputError
from epsl_opt.files import parse_record, read_json, write_record
from epsl_opt.record import JsonObject, Name, NonNegativeFloat, Record
from epsl_opt.registry import load_study
from epsl_opt.study import Point, Row, Study, StudySize

log = logging.getLogger(__name__)

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Each process computes on one thread, so that points side by side do not disturb one another's times."""


class PointDocument(Record):
    """A finished point as a file."""

    format: Literal["epsl-opt/study-point"] = "epsl-opt/study-point"
    version: Literal[1] = 1
    key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    study: Name
    point: JsonObject
    rows: tuple[JsonObject, ...] | list[JsonObject]
    elapsed_s: NonNegativeFloat

    def to_document(self) -> dict[str, Any]:
        """Return the record as JSON-ready dictionaries and lists; null where there is nothing."""
        return self.model_dump(mode="python")


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
"""Hears of points done, points planned, and a word about the last one."""


def run_points(
    study: Study, size: StudySize, folder: Path, jobs: int | None = None, listener: Listener | None = None
) -> StudyRuns:
    """Run what is not in `folder` yet; one file per finished point is kept there.

    A point that fails is told and does not keep the others from running; it is run again next time.

    Raises
    ------
    InputError
        If the folder can't be written to.
    """
    points = study.points(size)
    keys = [point_key(study, point) for point in points]
    found = {key: kept for key in keys if (kept := _load(folder, key)) is not None}
    reused, failures = len(found), []
    todo = [(key, point) for key, point in zip(keys, points, strict=True) if key not in found]
    for key, outcome in _run_all(study.name, todo, jobs or os.cpu_count() or 1):
        if isinstance(outcome, PointDocument):
            write_record(folder / f"{key}.json", outcome)
            found[key] = outcome
        else:
            failures.append(outcome)
        if listener is not None:
            listener(len(found) + len(failures), len(points), outcome if isinstance(outcome, str) else "")
    rows = tuple(row for key in keys if key in found for row in found[key].rows)
    return StudyRuns(rows, len(points), len(found), reused, tuple(failures))


def point_key(study: Study, point: Point) -> str:
    """Return the SHA-256 of all that decides a point's rows."""
    kind = type(study)
    parts = {"study": study.name, "class": f"{kind.__module__}.{kind.__qualname__}", "point": dict(point)}
    text = json.dumps(parts | {"version": version("epsl-opt")}, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _run_all(name: str, todo: Sequence[tuple[str, Point]], jobs: int) -> Iterator[tuple[str, PointDocument | str]]:
    """Yield each point's document, or why it failed, as they come; end early if the user interrupts."""
    if not todo:
        return
    context = get_context("spawn")
    with _single_threaded(), ProcessPoolExecutor(min(jobs, len(todo)), mp_context=context) as pool:
        futures: dict[Future[PointDocument], tuple[str, Point]] = {
            pool.submit(run_point, name, key, dict(point)): (key, point) for key, point in todo
        }
        try:
            for future in as_completed(futures):
                key, point = futures[future]
                error = future.exception()
                yield key, future.result() if error is None else f"{dict(point)}: {type(error).__name__}: {error}"
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            return


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """Have processes started in the block compute on one thread."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def run_point(name: str, key: str, point: dict[str, Any]) -> PointDocument:
    """Run one point of a registered study here."""
    start_s = time.perf_counter()
    rows = [{**point, **row} for row in load_study(name).run(point)]
    elapsed_s = time.perf_counter() - start_s
    return PointDocument(key=key, study=name, point=point, rows=[_finite(row) for row in rows], elapsed_s=elapsed_s)


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """Files have no infinities: what is not finite is nothing."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def _load(folder: Path, key: str) -> PointDocument | None:
    path = folder / f"{key}.json"
    if not path.exists():
        return None
    try:
        found = parse_record(PointDocument, read_json(path), str(path))
        if found.key != key:
            raise InputError(str(path), "is the file of another point", "key")
    except InputError as error:
        log.warning("%s; running it again", error)
        return None
    return found
