"""Tasks one after the other in this process: the only engine whose function may talk to the caller while it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from epsl_opt.campaigns.engines.engine import ArgumentT, Done, Engine, Failed, Outcome, Place, ValueT


class _Here(Place):
    def start(self, function: Callable[[ArgumentT], ValueT], argument: ArgumentT) -> Future[Outcome[ValueT]]:
        future: Future[Outcome[ValueT]] = Future()
        try:
            future.set_result(Done(function(argument)))
        except Exception as error:
            future.set_result(replace(Failed.by(error), error=error))
        return future

    def outcome(self, future: Future[Outcome[ValueT]]) -> Outcome[ValueT]:
        return future.result()


class ThisProcess(Engine):
    """Runs a task when it is handed out; Ctrl-C reaches it."""

    def __init__(self) -> None:
        self._place = _Here()

    def places(self, wanted: int) -> Sequence[Place]:
        """Return the one place there is."""
        return [self._place]
