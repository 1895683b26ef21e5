"""The server's connections to all clients."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

import torch
from torch import Tensor

from epsl_opt.backends.distributed.failures import BroadcastError, LinkError, RankError
from epsl_opt.backends.distributed.group import Group, ranks
from epsl_opt.backends.distributed.life import listen
from epsl_opt.backends.distributed.wire import Command, Pair
from epsl_opt.core.errors import EpslOptError, InputError

ResultT = TypeVar("ResultT")

_GRACE_S, _FAREWELL_S = 1.0, 10.0
"""How long clients are told that it is over, after a failure and otherwise."""

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
        self.pairs = [Pair(rank, group.timeout_s) for rank in range(1, group.size)]
        self._pool = ThreadPoolExecutor(max(len(self.pairs), 1))
        self._failures: list[LinkError] = []
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
            self._failures += failures
            raise self._verdict(self._alive())

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
            self._failures += failures
            alive = self._alive()
            self._failures += [late for late in _failures(futures) if late not in failures]
            raise self._verdict(alive)
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
        alive = self._alive(dead=0)
        if self._failures or len(alive) < len(self.pairs):
            raise self._verdict(alive)

    def end(self) -> None:
        """Let the clients go; one that does not listen finds out when this process ends."""
        self._over.set()
        self.group.leave_note("ended", "")
        farewell = threading.Thread(target=self._dismiss, daemon=True)
        farewell.start()
        farewell.join(_GRACE_S if self._failures else _FAREWELL_S)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _dismiss(self) -> None:
        with self._speaking:
            for pair in self.pairs:
                with contextlib.suppress(LinkError):
                    pair.command(Command.END)

    def _show_life(self) -> None:
        while not self._over.wait(self.group.timeout_s / _HEARTBEATS):
            with self._speaking:
                for pair in self.pairs:
                    try:
                        pair.command(Command.ALIVE)
                    except LinkError as error:
                        self._failures.append(error)

    def _alive(self, dead: int = 1) -> dict[int, bool]:
        """Return the ranks that show that they run, and whether each waits for others; so many may well be dead."""
        ranks = [pair.rank for pair in self.pairs]
        return listen(self.group.store, ranks, len(ranks) - dead)

    def _verdict(self, alive: Mapping[int, bool]) -> EpslOptError:
        """Return whom to blame: a rank that says so itself, else one without signs of life, else one that is stuck."""
        for pair in self.pairs:
            if (problem := self.group.note("input", pair.rank)) is not None:
                return InputError(self._called([pair.rank]), problem)
            if (problem := self.group.note("failed", pair.rank)) is not None:
                return RankError(f"{self._called([pair.rank])} failed: {problem}")
        failing = {failure.rank for failure in self._failures}
        silent = any(failure.timed_out for failure in self._failures)
        gone = [pair.rank for pair in self.pairs if pair.rank not in alive]
        stuck = [rank for rank, waits in sorted(alive.items()) if silent and not waits]
        found = gone or [rank for rank in stuck if rank in failing] or stuck or sorted(failing)
        what = f"gave no sign within {self.group.timeout_s:g} s" if silent else "died"
        return RankError(f"{self._called(found)} {what}")

    def _called(self, numbers: list[int]) -> str:
        return f"{ranks(numbers)} ({', '.join(self.names[rank - 1] for rank in numbers)})"


def _failures(futures: Sequence[Future[ResultT]]) -> list[LinkError]:
    done = [future.exception() for future in futures if future.done() and not future.cancelled()]
    for error in done:
        if error is not None and not isinstance(error, LinkError):
            raise error
    return [error for error in done if isinstance(error, LinkError)]
