"""Tasks one after the other in this process: the only engine whose function may talk to the caller while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from epsl_opt.campaigns.engines.engine import Engine, Function, Outcome, Place, attempt


class _Here(Place):
    def start(self, function: Function, argument: Any) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        future.set_result(attempt(function, argument))
        return future

    def outcome(self, future: Future[Outcome]) -> Outcome:
        return future.result()


class ThisProcess(Engine):
    """Runs a task when it is handed out; Ctrl-C reaches it."""

    def __init__(self) -> None:
        self._place = _Here()

    def places(self, wanted: int) -> Sequence[Place]:
        """Return the one place there is."""
        return [self._place]
