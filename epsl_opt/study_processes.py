"""Points of a study in processes side by side; a process that dies takes nothing with it but its own point."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import traceback
from collections.abc import Generator, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import Any

from epsl_opt.study import Point, Study
from epsl_opt.study_points import PointDocument, run_point

log = logging.getLogger(__name__)

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Each process computes on one thread: points side by side leave one another's times alone, and give equal rows."""

SPAWN = get_context("spawn")

GRACE_S = 5.0
"""For a process that has closed its end to say how it ended."""

Task = tuple[str, Point]
Outcome = PointDocument | str
"""A finished point, or why it failed."""


def run_all(study: Study, tasks: Sequence[Task], jobs: int) -> Generator[tuple[str, Outcome], None, None]:
    """Yield the key and the outcome of each task as they come; closing the iterator ends the processes.

    The study itself goes to the processes, so that it need not be registered, only importable.
    """
    waiting = list(reversed(tasks))
    busy: list[_Worker] = []
    try:
        for _ in range(min(jobs, len(waiting))):
            busy.append(_Worker(study))
            busy[-1].give(waiting.pop())
        while busy:
            for ready in wait([worker.connection for worker in busy]):
                worker = next(worker for worker in busy if worker.connection is ready)
                key, outcome = worker.task[0], worker.outcome()
                _go_on(study, worker, waiting, busy)
                yield key, outcome
    finally:
        for worker in busy:
            worker.end()


class _Worker:
    """A process that runs one point after another."""

    def __init__(self, study: Study) -> None:
        self.connection, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_serve, args=(study, theirs))
        self.alive = True
        with _single_threaded(), _interrupts_held_back():
            self._process.start()
        theirs.close()

    def give(self, task: Task) -> None:
        """Have a point run."""
        self.task = task
        with contextlib.suppress(BrokenPipeError):  # it has died; that is told as the outcome
            self.connection.send(task)

    def outcome(self) -> Outcome:
        """Return what became of the point."""
        try:
            found, trace = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self._process.join(GRACE_S)
            self.end()
            return f"{dict(self.task[1])}: its process ended with code {self._process.exitcode}"
        if trace:
            log.debug("point %s failed\n%s", dict(self.task[1]), trace)
        outcome: Outcome = found
        return outcome

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self.alive = False
        self._process.terminate()
        self._process.join()
        self.connection.close()


def _go_on(study: Study, worker: _Worker, waiting: list[Task], busy: list[_Worker]) -> None:
    """Give a worker its next point, or a new one in its place if it has died; end it if there is none."""
    if not waiting:
        worker.end()
    if not waiting or not worker.alive:
        busy.remove(worker)
    if waiting and not worker.alive:
        busy.append(worker := _Worker(study))
    if waiting:
        worker.give(waiting.pop())


def _serve(study: Study, connection: Any) -> None:
    """Run points until nobody asks for more; Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError):
        while True:
            key, point = connection.recv()
            try:
                connection.send((run_point(study, key, point), ""))
            except Exception as error:
                connection.send((f"{dict(point)}: {type(error).__name__}: {error}", traceback.format_exc()))


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


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, not even while they import; our own comes after the block."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
