"""Signs of life: every rank shows in the store that it runs, and whether it waits for others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from torch._C._distributed_c10d import Store

BEAT_S = 0.5
"""Time between two signs."""

_LISTEN_S = (1.0, 4.0)
"""How long to listen for signs: while enough have come, and at most."""

_WAITING, _WORKING, _LEFT = "waiting", "working", "left"


class Life:
    """Shows that this process runs, in a thread of its own, which no computation holds up.

    Parameters
    ----------
    store
        Where the ranks meet.
    rank
        This process.
    """

    def __init__(self, store: Store, rank: int) -> None:
        self._store, self._rank, self._over = store, rank, threading.Event()
        self._state = _WORKING
        self._show(0)
        threading.Thread(target=self._beat, daemon=True).start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Say that what happens in the block is up to others."""
        self._state = _WAITING
        try:
            yield
        finally:
            self._state = _WORKING

    def leave(self) -> None:
        """Say that this process ends, and that it is not to blame."""
        self._over.set()
        self._state = _LEFT
        self._show(0)

    def _beat(self) -> None:
        beats = 0
        while not self._over.wait(BEAT_S):
            self._show(beats := beats + 1)

    def _show(self, beat: int) -> None:
        with suppress(RuntimeError):
            self._store.set(_key(self._rank), f"{beat} {self._state}")


def listen(store: Store, ranks: Sequence[int], enough: int) -> dict[int, bool]:
    """Return which ranks give signs of life, and whether each of them waits for others.

    Parameters
    ----------
    store
        Where the ranks meet.
    ranks
        Whom to listen to.
    enough
        After so many signs there is no need to wait for more.
    """
    before, begun_s = _signs(store, ranks), time.monotonic()
    found: dict[int, bool] = {}
    while time.monotonic() - begun_s < _LISTEN_S[len(found) < enough]:
        time.sleep(BEAT_S / 5)
        for rank, sign in _signs(store, ranks).items():
            state = sign.rpartition(" ")[2]
            if sign != before.get(rank) or state == _LEFT:
                found[rank] = state != _WORKING
    return found


def _signs(store: Store, ranks: Sequence[int]) -> dict[int, str]:
    with suppress(RuntimeError):
        return {rank: bytes(store.get(_key(rank))).decode() for rank in ranks if store.check([_key(rank)])}
    return {}


def _key(rank: int) -> str:
    return f"life/{rank}"
