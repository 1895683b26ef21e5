"""Tasks on the workers of a Dask cluster.

Each task is sent to one worker and to no other, one at a time to each: so that runs don't share a process while they
are timed, and a worker that goes takes one run with it, which is seen here. Left to itself, the scheduler would send a
task that takes its worker down to several more.
"""

from __future__ import annotations

import gc
import logging
import platform
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError

from distributed import Client

from epsl_opt.campaigns.engines.dask_worker import DaskWorker
from epsl_opt.campaigns.engines.engine import LOOK_EVERY_S, Engine, Place
from epsl_opt.core.distribution import version
from epsl_opt.core.errors import EngineError, InputError
from epsl_opt.core.plain_text import one_line

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0

WORKER_TIMEOUT_S = 60.0
"""For a worker to come, at the beginning or when all have gone."""


class DaskCluster(Engine):
    """Runs tasks on the workers that a scheduler has, and on those that join while it goes on.

    Parameters
    ----------
    address
        Of the scheduler, such as `tcp://10.0.0.1:8786`.
    jobs
        Workers used at the most; all if None.
    threads
        That each task computes on.

    Raises
    ------
    InputError
        If nobody answers at the address, or the workers don't run the same versions as this process.
    """

    shares_files = False

    def __init__(self, address: str, jobs: int | None = None, threads: int = 1) -> None:
        self.threads, self._jobs, self._address = threads, jobs, address
        self._places: dict[str, DaskWorker] = {}
        self._strange: set[str] = set()
        self._client = _connect(address)
        try:
            self._refuse_strangers()
        except BaseException:
            self._client.close()
            raise

    def places(self, wanted: int) -> Sequence[Place]:
        """Return the workers there are; wait for one if there is none."""
        deadline_s = time.monotonic() + WORKER_TIMEOUT_S
        while not self._places:
            self._meet(self._workers())
            if not self._places and time.monotonic() > deadline_s:
                raise EngineError(f"the Dask scheduler at {self._address} has no workers to go on with")
            if not self._places:
                time.sleep(LOOK_EVERY_S)
        return list(self._places.values())[: self._jobs]

    def look(self) -> None:
        """Drop the workers that have gone, and meet those that have come."""
        there = self._workers()
        for address in set(self._places) - there:
            self._places.pop(address).leave(retired=self._retired(address))
        self._meet(there)

    def end(self) -> None:
        """Have the scheduler forget what was sent to it; what a worker has begun runs to its end there, unused."""
        for place in self._places.values():
            place.forget()

    def close(self) -> None:
        """Leave the cluster as it was."""
        self.end()
        self._client.close()

    def _workers(self) -> set[str]:
        try:
            return set(self._client.nthreads())
        except (OSError, TimeoutError, CancelledError) as error:
            raise EngineError(f"the Dask scheduler at {self._address} has gone: {one_line(str(error))}") from error

    def _retired(self, address: str) -> bool:
        """Return whether a worker that has gone was to go, by its lifetime or because the cluster shrinks."""
        try:
            events = [event for _, event in self._client.get_events(address)]
        except (OSError, TimeoutError, CancelledError, ValueError):  # nobody knows
            return False
        found = [event for event in events if isinstance(event, dict)]
        return any(event.get("action") == "retired" or event.get("expected") is True for event in found)

    def _refuse_strangers(self) -> None:
        """Raise unless all workers that are there are of use."""
        for address, lack in self._lacks(self._workers()).items():
            raise InputError("--scheduler", f"worker {address} {lack}")

    def _meet(self, there: set[str]) -> None:
        """Use new workers; one that does not fit is left out with a warning."""
        new = there - set(self._places) - self._strange
        if not new:
            return
        lacks = self._lacks(new)
        for address, lack in lacks.items():
            log.warning("worker %s %s; it is not used", address, lack)
        self._strange |= set(lacks)
        for address in sorted(new - set(lacks)):
            self._places[address] = DaskWorker(self._client, address, self.threads or 1)

    def _lacks(self, workers: set[str]) -> Mapping[str, str]:
        """Return what keeps each of these workers from being used, by address."""
        if not workers:
            return {}
        ours = software()
        found = self._client.run(software, workers=sorted(workers), on_error="return")
        return {address: _difference(theirs, ours) for address, theirs in sorted(found.items()) if theirs != ours}


def software() -> tuple[str, str]:
    """Return the versions that must be the same at both ends."""
    return ".".join(platform.python_version_tuple()[:2]), version("epsl-opt")


def _difference(theirs: object, ours: tuple[str, str]) -> str:
    if not isinstance(theirs, tuple):
        return f"can't run epsl-opt: {theirs}"
    return f"has Python {theirs[0]} with epsl-opt {theirs[1]}, here it is Python {ours[0]} with epsl-opt {ours[1]}"


def _connect(address: str) -> Client:
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # a lost scheduler is told once, by us
    try:
        return Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        why = one_line(str(error))
    # The client that failed has a loop still. Left to a collection inside the next client's start, it would be closed
    # under the lock that this start holds: for ever.
    gc.collect()
    raise InputError("--scheduler", f"no Dask scheduler at {address}: {why}")
