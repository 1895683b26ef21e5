"""Which samples a client trains on in which round: a function of the seed, with nothing to remember."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from epsl_opt.core.arrays import IntArray
from epsl_opt.core.errors import InputError

MAX_BATCH_SIZE = 2**24
"""Samples of one batch; a larger one is a slip, and would take hours to deal out before the memory ends."""


class BatchStream:
    """Deals out each client's samples, in a new random order every epoch.

    A batch that reaches the end of an epoch goes on with the next, so that every batch has the same size.

    Parameters
    ----------
    parts
        Indices of each client's samples.
    batch_size
        b, samples of one batch.
    seed
        Of the random orders.

    Raises
    ------
    InputError
        If a batch is larger than `MAX_BATCH_SIZE`.
    """

    def __init__(self, parts: Sequence[IntArray], batch_size: int, seed: int) -> None:
        if batch_size > MAX_BATCH_SIZE:
            raise InputError("batch size", f"must be at most {MAX_BATCH_SIZE}, got {batch_size}")
        self._parts, self._batch_size, self._seed = parts, batch_size, seed
        self._orders: dict[int, tuple[int, IntArray]] = {}

    def indices(self, finished_rounds: int, client: int | None = None) -> Tensor:
        """Return the samples of the next round, shape (clients, batch_size), or (1, batch_size) for one client."""
        first = finished_rounds * self._batch_size
        clients = range(len(self._parts)) if client is None else [client]
        rows = [self._client_indices(client, first) for client in clients]
        return torch.from_numpy(np.stack(rows))

    def _client_indices(self, client: int, position: int) -> IntArray:
        end, pieces = position + self._batch_size, []
        while position < end:
            epoch, offset = divmod(position, len(self._parts[client]))
            pieces.append(self._order(client, epoch)[offset : offset + end - position])
            position += len(pieces[-1])
        return np.concatenate(pieces)

    def _order(self, client: int, epoch: int) -> IntArray:
        known = self._orders.get(client)
        if known is None or known[0] != epoch:
            generator = np.random.default_rng((self._seed, client, epoch))
            known = self._orders[client] = epoch, generator.permutation(self._parts[client])
        return known[1]
