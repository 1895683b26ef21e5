"""Ctrl-C: heard between two steps, noticed where a library swallows it, or kept from other processes.

Signals come to the main thread only: in another thread, or where SIGINT is ignored, nothing is heard or changed.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

Handler = Callable[[int, FrameType | None], object]


@dataclass
class StopRequest:
    """Whether the user asked to stop."""

    made: bool = False


@contextlib.contextmanager
def deferred_interrupt() -> Iterator[StopRequest]:
    """Yield a request that the first Ctrl-C makes, so that nothing is left half done.

    The second one is a `KeyboardInterrupt` as ever.
    """
    request = StopRequest()

    def ask(number: int, frame: FrameType | None) -> None:
        if request.made:
            interrupt(number, frame)
        request.made = True

    with _heard(lambda previous: ask):
        yield request


@contextlib.contextmanager
def noticed_interrupt() -> Iterator[StopRequest]:
    """Yield a request that Ctrl-C makes while the handler that was there runs, too.

    HiGHS's and other solvers' interfaces stop at Ctrl-C and return as if a limit had been reached.
    """
    request = StopRequest()

    def noticing(previous: Handler) -> Handler:
        def notice(number: int, frame: FrameType | None) -> None:
            request.made = True
            previous(number, frame)

        return notice

    with _heard(noticing):
        yield request


@contextlib.contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, not even while they import; our own comes after the block."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_interrupts() -> None:
    """Leave Ctrl-C, which a terminal sends to all, to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Handle any signal as Ctrl-C."""
    raise KeyboardInterrupt


@contextlib.contextmanager
def _heard(handler: Callable[[Handler], Handler]) -> Iterator[None]:
    """Have another handler in place of the one that is there, from which it is made, while the block runs."""
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield
        return
    signal.signal(signal.SIGINT, handler(previous))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
