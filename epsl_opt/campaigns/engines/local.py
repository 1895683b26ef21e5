"""Tasks in processes of this machine: fresh interpreters, each with one task at a time."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import IO, Any

import cloudpickle

from epsl_opt.campaigns.engines.engine import ArgumentT, Died, Engine, Failed, Outcome, Place, ValueT
from epsl_opt.campaigns.engines.threads import thread_environment
from epsl_opt.core.stop_request import interrupts_held_back

_SERVE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop());"
    " from epsl_opt.campaigns.engines.worker import serve; serve()"
)

LOOK_EVERY_S = 0.5

LAST_ANSWER_S = 1.0
"""How long a last answer of a process that has ended may be on its way."""


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
        self.threads = threads
        self._jobs = jobs
        self._places: list[_ProcessPlace] = []

    def places(self, wanted: int) -> Sequence[Place]:
        """Return as many places as are wanted and allowed; processes are started when they are first used."""
        while len(self._places) < min(wanted, self._jobs):
            self._places.append(_ProcessPlace(self.threads or 1))
        return self._places

    def end(self) -> None:
        """Kill the processes that are busy; the others wait for what comes next."""
        for place in self._places:
            if place.busy:
                place.end()

    def close(self) -> None:
        """End all processes."""
        for place in self._places:
            place.end()
        self._places.clear()


def run_apart(function: Callable[[ArgumentT], ValueT], argument: ArgumentT) -> Outcome[ValueT] | Died:
    """Call a function in a process of its own, which ends when this one does; its threads are left to it."""
    place = _ProcessPlace(None)
    try:
        future = place.start(function, argument)
        while (outcome := place.outcome(future)) is None:
            wait([future], LOOK_EVERY_S)
        return outcome
    finally:
        place.end()


class _ProcessPlace(Place):
    """Where a process runs tasks; another one after it has died."""

    def __init__(self, threads: int | None) -> None:
        self._threads = threads
        self._process: _Process | None = None

    def start(self, function: Callable[[ArgumentT], ValueT], argument: ArgumentT) -> Future[Outcome[ValueT]]:
        future: Future[Outcome[ValueT]] = Future()
        try:
            call = cloudpickle.dumps((function, argument))
        except Exception as error:
            future.set_result(Failed.by(error))
            return future
        if self._process is not None and self._process.returncode is not None:  # it died with nothing to do
            self.end()
        self._process = self._process or _Process(self._threads)
        self._process.ask(call, future)
        return future

    def outcome(self, future: Future[Outcome[ValueT]]) -> Outcome[ValueT] | Died | None:
        if not future.done() and self._process is not None:
            returncode = self._process.returncode
            if returncode is None:
                return None
            self._process.hear_out()
            if not future.done():
                return Died(f"its process ended with {_in_words(returncode)}")
        return future.result()

    @property
    def busy(self) -> bool:
        """Whether a task has not come to its end."""
        return self._process is not None and self._process.busy

    def end(self) -> None:
        """End the process; kill it if it is busy."""
        if self._process is not None:
            self._process.end()
            self._process = None


class _Process:
    """A process with a pipe to it, and a thread that hears what it answers."""

    def __init__(self, threads: int | None) -> None:
        command = [sys.executable, "-c", _SERVE, json.dumps([str(path) for path in sys.path])]
        environment = os.environ | ({} if threads is None else thread_environment(threads))
        with interrupts_held_back():  # in the new process, for ever
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._future: Future[Any] | None = None
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def ask(self, call: bytes, future: Future[Outcome[ValueT]]) -> None:
        """Send a call whose outcome the future is to have."""
        self._future = future
        with contextlib.suppress(OSError):  # it has died, as is seen soon
            pickle.dump(call, self._stream(self._process.stdin))
            self._stream(self._process.stdin).flush()

    @property
    def busy(self) -> bool:
        """Whether a call is not answered."""
        return self._future is not None and not self._future.done()

    @property
    def returncode(self) -> int | None:
        """How it ended; None if it lives."""
        return self._process.poll()

    def hear_out(self) -> None:
        """Take a last answer of a process that has ended; whoever it left behind may hold its end of the pipe."""
        self._listener.join(LAST_ANSWER_S)

    def end(self) -> None:
        """Let it end by itself; kill it if it is busy."""
        if self.busy:
            self._process.kill()
        with contextlib.suppress(OSError):
            self._stream(self._process.stdin).close()
        self._process.wait()
        self.hear_out()

    def _listen(self) -> None:
        answers = self._stream(self._process.stdout)
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError), answers:
            while True:
                answer = pickle.load(answers)
                if self._future is not None:
                    self._future.set_result(_read(answer))
        self._process.wait()

    @staticmethod
    def _stream(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise RuntimeError("a process without pipes")
        return pipe


def _read(answer: bytes) -> object:
    try:
        return pickle.loads(answer)
    except Exception as error:
        return Failed.by(error)


def _in_words(returncode: int) -> str:
    """Return how a process ended, by its exit code or signal."""
    if returncode >= 0:
        return f"exit code {returncode}"
    if returncode == -signal.SIGKILL:
        return "SIGKILL (out of memory?)"
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"
