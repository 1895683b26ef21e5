"""Tasks in processes of this machine: fresh interpreters, each with one task at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import wait

from epsl_opt.campaigns.engines.engine import LOOK_EVERY_S, ArgumentT, Died, Engine, Outcome, Place, ValueT
from epsl_opt.campaigns.engines.process import Process


class LocalProcesses(Engine):
    """Runs tasks in fresh interpreters that compute on a fixed number of threads and that Ctrl-C does not reach.

    Functions, arguments and values travel by cloudpickle, so that those of a script or a notebook do, too.

    Parameters
    ----------
    jobs
        Processes side by side.
    threads
        Of each.
    """

    def __init__(self, jobs: int, threads: int = 1) -> None:
        self.threads: int = threads
        self._jobs = jobs
        self._processes: list[Process] = []

    def places(self, wanted: int) -> Sequence[Place]:
        """Return as many processes as are wanted and allowed, new ones for those that have died."""
        self._end([process for process in self._processes if not process.alive])
        while len(self._processes) < min(wanted, self._jobs):
            self._processes.append(Process(self.threads))
        return self._processes

    def end(self) -> None:
        """Kill the processes that are busy; the others wait for what comes next."""
        self._end([process for process in self._processes if process.busy])

    def close(self) -> None:
        """End all processes."""
        self._end(list(self._processes))

    def _end(self, processes: Sequence[Process]) -> None:
        for process in processes:
            self._processes.remove(process)
            process.end()


def run_apart(function: Callable[[ArgumentT], ValueT], argument: ArgumentT) -> Outcome[ValueT] | Died:
    """Call a function in a process of its own, which ends when this one does; its threads are left to it."""
    process = Process(None)
    try:
        future = process.start(function, argument)
        while (outcome := process.outcome(future)) is None:
            wait([future], LOOK_EVERY_S)
        return outcome
    finally:
        process.end()
