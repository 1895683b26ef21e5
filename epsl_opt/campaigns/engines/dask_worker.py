"""A worker of a Dask cluster, for one task at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import Any

from distributed import Client, KilledWorker

from epsl_opt.campaigns.engines.engine import ArgumentT, Died, Failed, Outcome, Place, ValueT, attempt
from epsl_opt.campaigns.engines.threads import pinned_threads


class DaskWorker(Place):
    """A place that a worker is; it is told when the worker goes."""

    def __init__(self, client: Client, address: str, threads: int) -> None:
        self.alive, self._retired = True, False
        self._address, self._threads = address, threads
        self._executor = client.get_executor(workers=[address], pure=False)
        self._future: Future[Any] | None = None

    def start(self, function: Callable[[ArgumentT], ValueT], argument: ArgumentT) -> Future[Outcome[ValueT]]:
        """Send a call to the worker and to no other."""
        future: Future[Outcome[ValueT]] = self._executor.submit(
            partial(_attempt_pinned, self._threads), function, argument
        )
        self._future = future
        return future

    def outcome(self, future: Future[Outcome[ValueT]]) -> Outcome[ValueT] | Died | None:
        """Return what the cluster says; if the worker has gone, that."""
        if future.done():
            return _read(future)
        if self.alive:
            return None
        self.forget()
        return Died(f"its worker {self._address} {'has retired' if self._retired else 'has gone'}", self._retired)

    def leave(self, *, retired: bool) -> None:
        """Note that the worker has gone, and whether it was to go."""
        self.alive, self._retired = False, retired

    def forget(self) -> None:
        """Cancel what was sent to the worker."""
        if self._future is not None:
            with contextlib.suppress(OSError, TimeoutError):  # nobody is there to be told
                self._future.cancel()


def _attempt_pinned(threads: int, function: Callable[[ArgumentT], ValueT], argument: ArgumentT) -> Outcome[ValueT]:
    with pinned_threads(threads):
        return attempt(function, argument)


def _read(future: Future[Outcome[ValueT]]) -> Outcome[ValueT] | Died:
    try:
        return future.result()
    except KilledWorker as error:
        return Died(f"its worker {error.last_worker.address} has gone")
    except CancelledError:
        return Died("the cluster let go of it")
    except Exception as error:  # what could not be sent or read
        cause = error.__cause__ or error
        return Failed(f"{type(cause).__name__}: {cause}")
