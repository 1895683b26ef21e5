"""Notice Ctrl-C even where the library underneath swallows it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def noticed_interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether SIGINT came in the meantime; the handler that was there still runs.

    HiGHS's and other solvers' interfaces stop at Ctrl-C and return as if a limit had been reached. Signals come to the
    main thread only: in another thread nothing is noticed.
    """
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield lambda: False
        return
    noticed = threading.Event()

    def notice(number: int, frame: FrameType | None) -> None:
        noticed.set()
        previous(number, frame)

    signal.signal(signal.SIGINT, notice)
    try:
        yield noticed.is_set
    finally:
        signal.signal(signal.SIGINT, previous)
