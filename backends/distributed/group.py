"""How the ranks of a job find each other."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch._C._distributed_c10d import PrefixStore, Store, TCPStore

from epsl_opt.backends.distributed.environment import INTERFACE, Rendezvous, read_environment, refuse_dead_ends
from epsl_opt.backends.distributed.failures import BroadcastError, RankError
from epsl_opt.backends.distributed.life import Life
from epsl_opt.backends.distributed.wire import SERVER
from epsl_opt.core.plain_text import one_line

_MAX_NOTE = 500
_CLIENT_PATIENCE = 1.5
"""Clients wait longer than the server, which alone can tell who is to blame, so that it gives up first."""

_POLL_S = 0.1


@dataclass(frozen=True)
class Group:
    """The ranks of a job.

    Parameters
    ----------
    rank, size
        This process, and how many there are.
    timeout_s
        After which a wait is given up.
    store
        Where ranks leave notes for one another.
    broadcasts
        The connections that broadcasts use.
    life
        Tells the others that this rank is there.
    """

    rank: int
    size: int
    timeout_s: float
    store: Store
    broadcasts: dist.ProcessGroup
    life: Life

    def broadcast(self, tensor: torch.Tensor) -> torch.Tensor:
        """Send a tensor from the server to all, or receive it.

        Raises
        ------
        BroadcastError
            If a rank on its way is gone, or the time is out.
        """
        try:
            with self.life.waiting():
                dist.broadcast(tensor, SERVER, group=self.broadcasts)
        except RuntimeError as error:
            raise BroadcastError(one_line(str(error))) from error
        return tensor

    def leave_note(self, kind: str, text: str) -> None:
        """Tell the others something that outlives this process."""
        with contextlib.suppress(RuntimeError):
            self.store.set(f"{kind}/{self.rank}", text[:_MAX_NOTE])

    def note(self, kind: str, rank: int) -> str | None:
        """Return what a rank left."""
        with contextlib.suppress(RuntimeError):
            if self.store.check([f"{kind}/{rank}"]):
                return bytes(self.store.get(f"{kind}/{rank}")).decode(errors="replace")
        return None


def join(timeout_s: float, broadcast_interface: str | None) -> Group:
    """Wait until all ranks are there.

    Raises
    ------
    RankError
        If they are not within the time-out, naming those missing.
    InputError
        If they can't be, as the environment is.
    """
    meeting = read_environment()
    refuse_dead_ends(meeting, broadcast_interface)
    rank, size = meeting.rank, meeting.size
    store = _store(meeting, timedelta(seconds=timeout_s))
    store.set(f"joined/{rank}", "")
    _await_all(store, size, timeout_s)
    patience_s = timeout_s if rank == SERVER else _CLIENT_PATIENCE * timeout_s
    wait = timedelta(seconds=patience_s)
    try:
        dist.init_process_group("gloo", store=PrefixStore("pairs", store), rank=rank, world_size=size, timeout=wait)
        with _interface(broadcast_interface):
            group = dist.new_group(list(range(size)), timeout=wait, backend="gloo")
    except RuntimeError as error:
        raise RankError(f"rank {rank} could not connect to the others: {_first_line(error)}") from error
    return Group(rank, size, patience_s, store, group, Life(store, rank))


def _await_all(store: Store, size: int, timeout_s: float) -> None:
    """Ask again and again, since PyTorch writes warnings where a wait of its own is in vain."""
    keys, end_s = [f"joined/{rank}" for rank in range(size)], time.monotonic() + timeout_s
    while not store.check(keys):
        if time.monotonic() > end_s:
            missing = [rank for rank, key in enumerate(keys) if not store.check([key])]
            raise RankError(f"{ranks(missing)} did not join within {timeout_s:g} s")
        time.sleep(_POLL_S)


def leave() -> None:
    """Close all connections."""
    if dist.is_initialized():
        dist.destroy_process_group()


def ranks(numbers: list[int]) -> str:
    """Return how to call ranks in a message."""
    return f"rank{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _store(meeting: Rendezvous, wait: timedelta) -> Store:
    host, port = meeting.host, meeting.port
    try:
        store = TCPStore(host, port, None, meeting.opens_the_store, wait, wait_for_workers=False)
    except (RuntimeError, ValueError) as error:
        problem = f"rank {meeting.rank} can't reach rank {SERVER} at {host}:{port}: {_first_line(error)}"
        raise RankError(problem) from error
    return PrefixStore(f"epsl-opt/{meeting.attempt}", store)


def _first_line(error: Exception) -> str:
    """Return what PyTorch says, without the stack that it may add."""
    return str(error).strip().partition("\n")[0]


@contextlib.contextmanager
def _interface(name: str | None) -> Iterator[None]:
    """Let connections made in the block use a network interface."""
    before = os.environ.get(INTERFACE)
    if name is not None:
        os.environ[INTERFACE] = name
    try:
        yield
    finally:
        if before is not None:
            os.environ[INTERFACE] = before
        elif name is not None:
            del os.environ[INTERFACE]
