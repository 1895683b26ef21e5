"""The far end of a local process: calls come in by standard input, outcomes go out by what was standard output."""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
import time
from queue import SimpleQueue
from typing import BinaryIO

import cloudpickle

from epsl_opt.campaigns.engines.engine import Failed, attempt

GRACE_S = 0.5
"""What a process that nobody waits for any more has to end by itself."""


def serve() -> None:
    """Run calls, one at a time, until there are no more; end all the same if the caller goes in the middle of one."""
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a task that reads gets nothing
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # what a task prints is no answer
    waiting: SimpleQueue[bytes | None] = SimpleQueue()
    threading.Thread(target=_listen, args=(calls, waiting), daemon=True).start()
    while (call := waiting.get()) is not None:
        pickle.dump(_answer(call), answers)
        answers.flush()


def _listen(calls: BinaryIO, waiting: SimpleQueue[bytes | None]) -> None:
    """Pass calls on until the caller closes the pipe, or is gone."""
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            waiting.put(pickle.load(calls))
    waiting.put(None)
    time.sleep(GRACE_S)
    os._exit(1)


def _answer(call: bytes) -> bytes:
    try:
        function, argument = pickle.loads(call)
        answer: bytes = cloudpickle.dumps(attempt(function, argument))
    except BaseException as error:  # what can't be read or sent, or wants to end the process
        answer = cloudpickle.dumps(Failed.by(error))
    return answer
