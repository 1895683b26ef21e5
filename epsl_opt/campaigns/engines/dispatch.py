"""Hand tasks out to an engine's places; a place that dies costs the task it was running one of its two tries."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Generic

from epsl_opt.campaigns.engines.engine import (
    LOOK_EVERY_S,
    ArgumentT,
    Died,
    Engine,
    Failed,
    Outcome,
    Outcomes,
    Place,
    Task,
    ValueT,
)

log = logging.getLogger(__name__)

TRIES = 2
"""A process may die for reasons that are not the task's; one that goes down twice with the same task is believed."""

RETIREMENTS = 20
"""A task whose process was to go anyway is begun again so often; then it takes longer than any process may."""


def run_tasks(
    function: Callable[[ArgumentT], ValueT], tasks: Iterable[Task[ArgumentT]], engine: Engine
) -> Outcomes[ArgumentT, ValueT]:
    """Yield each task with its outcome as they come; closing the iterator ends what is running.

    Tasks are begun in their order. One that raises has failed. One whose process ends is tried once more, after the
    others; if its process ends again, it has failed. One whose process was to go anyway is run again and does not count
    as tried. None keeps the others from running, and nothing that has ended is run again.

    Parameters
    ----------
    function
        Called with each task's argument. Unless the engine is `ThisProcess`, the function, the arguments and the
        values it returns must be picklable.
    tasks
        What to run; their keys differ.
    engine
        Where to run it.

    Raises
    ------
    EngineError
        If all places have gone; the tasks that are left were not run to their end.
    """
    queue = _Queue(function, tasks, engine)
    try:
        while queue.waiting or queue.running:
            queue.give()
            yield from queue.take()
    finally:
        engine.end()


class _Queue(Generic[ArgumentT, ValueT]):
    """What is waiting, and what is running where."""

    def __init__(
        self, function: Callable[[ArgumentT], ValueT], tasks: Iterable[Task[ArgumentT]], engine: Engine
    ) -> None:
        self._function, self._engine = function, engine
        self._deaths: Counter[str] = Counter()
        self._retirements: Counter[str] = Counter()
        self.waiting = deque(tasks)
        self.running: dict[Future[Outcome[ValueT]], tuple[Place, Task[ArgumentT]]] = {}

    def give(self) -> None:
        """Give every free place a task."""
        if not self.waiting:
            return
        busy = {place for place, _ in self.running.values()}
        for place in self._engine.places(len(self.waiting) + len(busy)):
            if place not in busy and self.waiting:
                task = self.waiting.popleft()
                self.running[place.start(self._function, task.argument)] = place, task

    def take(self) -> Iterator[tuple[Task[ArgumentT], Outcome[ValueT]]]:
        """Wait a little, and yield what has ended."""
        wait(self.running, LOOK_EVERY_S, FIRST_COMPLETED)
        self._engine.look()
        for future, (place, task) in list(self.running.items()):
            found = place.outcome(future)
            if found is None:
                continue
            del self.running[future]
            outcome = self._try_again(task, found) if isinstance(found, Died) else found
            if isinstance(outcome, Failed) and outcome.trace:
                log.debug("%s failed\n%s", task.label, outcome.trace)
            if outcome is not None:
                yield task, outcome

    def _try_again(self, task: Task[ArgumentT], death: Died) -> Failed | None:
        counter, most = (self._retirements, RETIREMENTS) if death.retired else (self._deaths, TRIES)
        counter[task.key] += 1
        if counter[task.key] >= most:
            return Failed(f"{death.message}, {most} times")
        again = "it is run again" if death.retired else "it is tried once more"
        log.warning("%s: %s; %s", task.label, death.message, again)
        self.waiting.append(task)
        return None
