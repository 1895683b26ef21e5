"""The searches for schedules on a thread of their own, beside the proof.

They are those that would take turns with the proof, and get the same share of counted work; but what is found when
depends on the clock. The two sides exchange schedules in queues: neither touches the other's monitor.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from dataclasses import replace
from typing import Self, TypeVar

from epsl_opt.core.instance import Instance
from epsl_opt.core.results import Limits
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.exact.incumbents import Incumbents

T = TypeVar("T")

MOST_THREADS = 2
THREAD_NAME = "search for schedules"
IDLE_S = 0.02
"""How often a search without a share looks whether it has one."""


def n_threads(limits: Limits) -> int:
    """Return how many threads are used: those allowed, by default as many as there are processors, two at the most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(limits.threads or cores, MOST_THREADS)


class Beside:
    """Local searches beside a proof; to the proof they are like `Incumbents`.

    The thread begins once the proof has had its head start.
    """

    def __init__(self, instance: Instance, monitor: SolveMonitor) -> None:
        self._instance, self._monitor = instance, monitor
        self._in_turn = Incumbents(instance, monitor)
        self._thread: _SearchThread | None = None
        self._alone = False
        self._told: Schedule | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        """End the thread, and take what it found last."""
        if self._thread is not None:
            self._thread.end()
            self._take()

    def count_root_step(self) -> None:
        """Count an interior-point step of a root."""
        self._in_turn.count_root_step()

    def count_nodes(self, nodes: int) -> None:
        """Count nodes that have been bounded."""
        self._in_turn.count_nodes(nodes)

    def count_rounds(self, steps: float) -> None:
        """Count work on bounds other than nodes, in interior-point steps."""
        self._in_turn.count_rounds(steps)

    def catch_up(self) -> None:
        """Exchange schedules with the searches; begin them, if the proof has had its head start."""
        if self._alone:
            self._in_turn.catch_up()
        elif self._thread is not None:
            self._take()
            incumbent = self._monitor.incumbent
            self._thread.tell(self._in_turn.earned, None if incumbent is self._told else incumbent)
            self._told = incumbent
        elif self._in_turn.earned > 0:
            self._begin()

    def _begin(self) -> None:
        self._alone = self._instance.n_clients == 1
        if not self._alone:
            limits = replace(self._monitor.limits, time_s=max(self._monitor.remaining_s, 1e-9))
            self._thread = _SearchThread(_PrivateMonitor(self._instance, limits))
            self._thread.start()
        self.catch_up()

    def _take(self) -> None:
        assert self._thread is not None
        for schedule in self._thread.found():
            self._monitor.offer(schedule)


class _PrivateMonitor(SolveMonitor):
    """The searches' own view of their run, which ends when the thread is told to."""

    def __init__(self, instance: Instance, limits: Limits) -> None:
        super().__init__(instance, limits)
        self.ended = threading.Event()

    @property
    def remaining_s(self) -> float:
        """As of every monitor; 0 once the thread is told to end."""
        return 0.0 if self.ended.is_set() else super().remaining_s


class _SearchThread(threading.Thread):
    """Steps of searches as long as they have a share, schedules from and to the proof in between."""

    def __init__(self, monitor: _PrivateMonitor) -> None:
        super().__init__(name=THREAD_NAME, daemon=True)
        self._searches = Incumbents(monitor.instance, monitor)
        self._told: queue.SimpleQueue[tuple[float, Schedule | None]] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[Schedule] = queue.SimpleQueue()
        self._private = monitor
        self._error: BaseException | None = None

    def tell(self, earned: float, incumbent: Schedule | None) -> None:
        """Say how much the searches have earned by now, and its best schedule."""
        self._told.put((earned, incumbent))

    def found(self) -> list[Schedule]:
        """Return the schedules found since; raise what ended the thread, if something did."""
        if self._error is not None:
            raise self._error
        return _all_of(self._found)

    def end(self) -> None:
        """Have the thread end, and wait until it has."""
        self._private.ended.set()
        self.join()

    def run(self) -> None:
        """Search until told to end."""
        try:
            while not self._private.out_of_time:
                self._listen()
                before_s = self._private.latency_s
                if not self._searches.step():
                    self._private.ended.wait(IDLE_S)
                elif self._private.latency_s < before_s and self._private.incumbent is not None:
                    self._found.put(self._private.incumbent)
        except BaseException as error:
            self._error = error

    def _listen(self) -> None:
        for earned, incumbent in _all_of(self._told):
            self._searches.earn(earned - self._searches.earned)
            if incumbent is not None:
                self._private.offer(incumbent)


def _all_of(waiting: queue.SimpleQueue[T]) -> list[T]:
    found: list[T] = []
    with contextlib.suppress(queue.Empty):
        while True:
            found.append(waiting.get_nowait())
    return found
