"""A process that runs tasks, seen from here; `worker.py` is what runs there."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import IO, Any

import cloudpickle

from epsl_opt.campaigns.engines.engine import ArgumentT, Died, Failed, Outcome, Place, ValueT
from epsl_opt.campaigns.engines.threads import thread_environment
from epsl_opt.core.stop_request import interrupts_held_back

_SERVE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop());"
    " from epsl_opt.campaigns.engines.worker import serve; serve()"
)

LAST_ANSWER_S = 1.0
"""How long a last answer of a process that has ended may be on its way; what it left behind may hold the pipe open."""


class Process(Place):
    """A process that runs one task at a time, and a thread that hears what it answers; to be ended."""

    def __init__(self, threads: int | None) -> None:
        command = [sys.executable, "-c", _SERVE, json.dumps([str(path) for path in sys.path])]
        environment = os.environ | ({} if threads is None else thread_environment(threads))
        with interrupts_held_back():  # in the new process, for ever
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._future: Future[Any] | None = None
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def start(self, function: Callable[[ArgumentT], ValueT], argument: ArgumentT) -> Future[Outcome[ValueT]]:
        """Send a call; what can't be sent has failed."""
        self._future = future = Future[Outcome[ValueT]]()
        try:
            call = cloudpickle.dumps((function, argument))
        except Exception as error:
            future.set_result(Failed.by(error))
            return future
        with contextlib.suppress(OSError):  # it has died, as `outcome` sees
            pickle.dump(call, _pipe(self._process.stdin))
            _pipe(self._process.stdin).flush()
        return future

    def outcome(self, future: Future[Outcome[ValueT]]) -> Outcome[ValueT] | Died | None:
        """Return the answer; if the process has ended, its last one or how it ended."""
        if not future.done():
            if self.alive:
                return None
            self._listener.join(LAST_ANSWER_S)
        return future.result() if future.done() else Died(f"its process ended with {_in_words(self._process.wait())}")

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def busy(self) -> bool:
        """Whether a task has not come to its end."""
        return self._future is not None and not self._future.done()

    def end(self) -> None:
        """Let it end by itself; kill it if it is busy."""
        if self.busy:
            self._process.kill()
        with contextlib.suppress(OSError):
            _pipe(self._process.stdin).close()
        self._process.wait()
        self._listener.join(LAST_ANSWER_S)

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError), _pipe(self._process.stdout) as answers:
            while True:
                answer = pickle.load(answers)
                if self._future is not None:
                    self._future.set_result(_read(answer))
        self._process.wait()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
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
