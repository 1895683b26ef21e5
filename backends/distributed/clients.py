"""The server's connections to all clients."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from epsl_opt.backends.distributed.failures import BroadcastError, LinkError, RankError, culprits
from epsl_opt.backends.distributed.group import Group, ranks
from epsl_opt.backends.distributed.wire import Command, Pair
from epsl_opt.core.errors import EpslOptError, InputError

ResultT = TypeVar("ResultT")

GRACE_S = 1.0
"""How long to listen for what others know of a failure."""

_FAREWELL_S = 10.0
_PROBE_S = 0.5
_PROBE_TAG = 99
_HEARTBEATS = 3
"""So many in the time after which clients give up."""


class Clients:
    """Speaks to every client in a thread of its own; client i is rank i + 1.

    Parameters
    ----------
    group
        The job.
    """

    def __init__(self, group: Group) -> None:
        self.group, self.names = group, [f"client {number}" for number in range(group.size - 1)]
        self.pairs = [Pair(rank) for rank in range(1, group.size)]
        self._pool = ThreadPoolExecutor(max(len(self.pairs), 1))
        self._known: list[LinkError] = []
        self._unheard: list[LinkError] = []
        self._speaking, self._over = threading.Lock(), threading.Event()
        threading.Thread(target=self._show_life, daemon=True).start()

    def command(self, numbers: Iterable[int], command: Command, first: int = 0, second: int = 0) -> None:
        """Send a command to some clients.

        Raises
        ------
        RankError, InputError
            As `each`.
        """
        failures = []
        with self._speaking:
            for number in numbers:
                try:
                    self.pairs[number].command(command, first, second)
                except LinkError as error:
                    failures.append(error)
        if failures:
            self._known = failures
            time.sleep(GRACE_S)
            raise self._verdict(failures)

    def each(self, numbers: Sequence[int], function: Callable[[int, Pair], ResultT]) -> list[ResultT]:
        """Do something with some clients at once, and return the results in their order.

        Raises
        ------
        RankError
            If a rank is dead or silent, naming it.
        InputError
            If something that the user gave is wrong on a client's machine.
        """
        futures = [self._pool.submit(function, number, self.pairs[number]) for number in numbers]
        wait(futures, return_when=FIRST_EXCEPTION)
        if failures := _failures(futures):
            self._known = failures
            time.sleep(GRACE_S)
            raise self._verdict(failures + [late for late in _failures(futures) if late not in failures])
        return [future.result() for future in futures]

    def tell(self, numbers: Sequence[int], command: Command, function: Callable[[int, Pair], ResultT]) -> list[ResultT]:
        """Send a command, then do something with the clients at once; raises as `each`."""
        self.command(numbers, command)
        return self.each(numbers, function)

    def broadcast(self, tensor: Tensor) -> None:
        """Send a tensor to all clients, and wait until all have it; raises as `each`."""
        futures = [self._pool.submit(self.group.broadcast, tensor.detach().cpu().contiguous())]
        wait(futures)
        self.each(range(len(self.pairs)), lambda _, pair: pair.receive([1], torch.float32))
        if isinstance(error := futures[0].exception(), BroadcastError):
            raise RankError(f"a broadcast failed: {error}")

    def refuse_dead(self) -> None:
        """Raise if a client is gone; where that is found out by nothing else.

        Raises
        ------
        RankError
            Naming the rank.
        """
        if self._known:
            raise self._verdict(self._known)
        # The other threads may be waiting for ranks still.
        with ThreadPoolExecutor(len(self.pairs)) as pool:
            futures = [pool.submit(_probe, pair.rank) for pair in self.pairs]
        if dead := [error for error in _failures(futures) if error.dead]:
            raise self._verdict(dead)

    def end(self) -> None:
        """Let the clients go; one that does not listen finds out when this process ends."""
        self._over.set()
        self.group.leave_note("ended", "")
        farewell = threading.Thread(target=self._dismiss, daemon=True)
        farewell.start()
        farewell.join(GRACE_S if self._known else _FAREWELL_S)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _dismiss(self) -> None:
        for number in range(len(self.pairs)):
            with contextlib.suppress(EpslOptError):
                self.command([number], Command.END)

    def _show_life(self) -> None:
        while not self._over.wait(self.group.timeout_s / _HEARTBEATS):
            with self._speaking:
                for pair in self.pairs:
                    try:
                        pair.command(Command.ALIVE)
                    except LinkError as error:
                        self._unheard.append(error)

    def _verdict(self, failures: Sequence[LinkError]) -> EpslOptError:
        waiting = [pair.rank for pair in self.pairs if self.group.note("waiting", pair.rank) is not None]
        # The first failure of all may have met a sign of life, and what came after only follows from it.
        blamed = culprits([*self._unheard, *failures], waiting)
        for failure in blamed:
            if (problem := self.group.note("input", failure.rank)) is not None:
                return InputError(self._called([failure.rank]), problem)
            if (problem := self.group.note("failed", failure.rank)) is not None:
                return RankError(f"{self._called([failure.rank])} failed: {problem}")
        found = sorted({failure.rank for failure in blamed})
        if set(found) <= set(waiting) and not blamed[0].dead:  # alive, so another one is silent
            found = [pair.rank for pair in self.pairs if pair.rank not in waiting] or found
        what = "died" if blamed[0].dead else f"gave no sign within {self.group.timeout_s:g} s"
        return RankError(f"{self._called(found)} {what}")

    def _called(self, numbers: list[int]) -> str:
        return f"{ranks(numbers)} ({', '.join(self.names[rank - 1] for rank in numbers)})"


def _failures(futures: Sequence[Future[ResultT]]) -> list[LinkError]:
    done = [future.exception() for future in futures if future.done() and not future.cancelled()]
    for error in done:
        if error is not None and not isinstance(error, LinkError):
            raise error
    return [error for error in done if isinstance(error, LinkError)]


def _probe(rank: int) -> None:
    """Raise if a rank is gone."""
    try:
        work = dist.irecv(torch.empty(1), rank, tag=_PROBE_TAG)
        if work is not None:
            work.wait(timedelta(seconds=_PROBE_S))
    except RuntimeError as error:
        raise LinkError(rank, error) from error
