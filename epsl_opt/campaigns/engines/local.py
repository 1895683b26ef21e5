"""Tasks in processes of this machine, which are joblib's.

Every place is a pool of one process: when a process dies, joblib (loky) gives its whole pool up, and nobody else must
lose a run by that.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool, TerminatedWorkerError

from epsl_opt.campaigns.engines.engine import Died, Engine, Failed, Function, Outcome, Place, attempt
from epsl_opt.campaigns.engines.threads import thread_environment

PARENT_EVERY_S = 1.0
"""How often a process looks whether the one that started it is still there."""


class LocalProcesses(Engine):
    """Runs tasks in fresh interpreters that compute on a fixed number of threads and that Ctrl-C does not reach.

    Parameters
    ----------
    jobs
        Processes side by side.
    threads
        Of each.
    """

    def __init__(self, jobs: int, threads: int = 1) -> None:
        self.threads = threads
        self._jobs = jobs
        self._places: list[_Process] = []

    def places(self, wanted: int) -> Sequence[Place]:
        """Return as many places as are wanted and allowed; processes are started when they are first used."""
        while len(self._places) < min(wanted, self._jobs):
            self._places.append(_Process(self.threads or 1))
        return self._places

    def end(self) -> None:
        """Kill the processes that are busy; the others wait for what comes next."""
        for place in [place for place in self._places if place.busy]:
            self._places.remove(place)
            place.end()

    def close(self) -> None:
        """End all processes."""
        while self._places:
            self._places.pop().end()


class _Process(Place):
    """A pool of one process; another one in its place once it has died."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = self._new()
        self._future: Future[Outcome] | None = None

    def _new(self) -> Any:
        environment = thread_environment(self._threads)
        return ProcessPoolExecutor(1, env=environment, initializer=_live_as_long_as, initargs=(os.getpid(),))

    def start(self, function: Function, argument: Any) -> Future[Outcome]:
        with _interrupts_held_back():
            try:
                if any(not process.is_alive() for process in list(self._pool._processes.values())):
                    raise BrokenProcessPool  # joblib has not noticed yet, and would charge this task for it
                return self._submit(function, argument)
            except BrokenProcessPool:  # it died while nothing was asked of it
                self._pool = self._new()
                return self._submit(function, argument)

    def _submit(self, function: Function, argument: Any) -> Future[Outcome]:
        future: Future[Outcome] = self._pool.submit(attempt, function, argument)
        self._future = future
        return future

    def outcome(self, future: Future[Outcome]) -> Outcome | Died | None:
        if not future.done():
            return None
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, TerminatedWorkerError):
            return Died(f"its process ended with {_exit_code(str(error))}")
        return Failed(f"{type(error).__name__}: {error}", str(error.__cause__ or ""))

    @property
    def busy(self) -> bool:
        """Whether a task has not come to its end."""
        return self._future is not None and not self._future.done()

    def end(self) -> None:
        """End the process; kill it if it is busy."""
        self._pool.shutdown(wait=True, kill_workers=self.busy)


def _live_as_long_as(parent: int) -> None:
    """End this process when the one that started it is gone: joblib's would wait for it for ever."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_EVERY_S)
    os._exit(1)


def _exit_code(message: str) -> str:
    """Return the exit code or signal that joblib found out, in words."""
    found = re.search(r"\{(\w+)\((-?\d+)\)", message)
    if found is None:
        return "an unknown exit code"
    name, code = found.groups()
    if name == "SIGKILL":
        return "SIGKILL (out of memory?)"
    return name if int(code) < 0 else f"exit code {code}"


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
