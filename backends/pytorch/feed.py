"""Which samples make a round's batch: a function of the seed and the round, with nothing to remember."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.pytorch.options import Pairing, TorchOptions
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import TrainingPlan

MAX_BATCH_SIZE = 2**24
"""Samples of one batch; a larger one is a slip, and would take hours to deal out before the memory ends."""


@dataclass(frozen=True)
class Batch:
    """The samples of one round.

    Parameters
    ----------
    samples, labels
        Shapes (clients, b, ...) and (clients, b).
    aggregated
        m, how many positions, from the first, EPSL aggregates.
    """

    samples: Tensor
    labels: Tensor
    aggregated: int = 0


class Feed:
    """Deals out each client's samples, in a new random order every epoch.

    A batch that reaches the end of an epoch goes on with the next, so that every batch has the same size.

    Parameters
    ----------
    plan, options
        What to train, and how.
    data
        The samples; those to train on are put on the device.
    parts
        Samples of each batch's rows, as indices into the training data: one a client, or a single one of all.
    batch_size
        Samples of a row.

    Raises
    ------
    InputError
        If a batch is larger than `MAX_BATCH_SIZE`.
    """

    def __init__(
        self, plan: TrainingPlan, options: TorchOptions, data: Dataset, parts: Sequence[IntArray], batch_size: int
    ) -> None:
        if batch_size > MAX_BATCH_SIZE:
            raise InputError("batch size", f"must be at most {MAX_BATCH_SIZE}, got {batch_size}")
        self._by_label = options.pairing is Pairing.LABEL
        self._samples, self._labels = on_device(data.train_x, data.train_y, torch.device(options.device))
        self._parts, self._batch_size, self._seed = parts, batch_size, plan.seed
        self._orders: dict[int, tuple[int, IntArray]] = {}
        self.aggregated = aggregated_positions(plan)

    def batch(self, finished_rounds: int, client: int | None = None) -> Batch:
        """Return the batch that follows so many rounds, or one client's row of it."""
        rows = range(len(self._parts)) if client is None else [client]
        indices = np.stack([self._row(row, finished_rounds * self._batch_size) for row in rows])
        chosen, m = torch.from_numpy(indices).to(self._labels.device), self.aggregated
        if m and self._by_label:
            order = self._labels[chosen[:, :m]].argsort(stable=True)
            chosen = torch.cat([chosen[:, :m].gather(1, order), chosen[:, m:]], dim=1)
        return Batch(self._samples[chosen], self._labels[chosen], m)

    def _row(self, row: int, position: int) -> IntArray:
        end, pieces = position + self._batch_size, []
        while position < end:
            epoch, offset = divmod(position, len(self._parts[row]))
            pieces.append(self._order(row, epoch)[offset : offset + end - position])
            position += len(pieces[-1])
        return np.concatenate(pieces)

    def _order(self, row: int, epoch: int) -> IntArray:
        known = self._orders.get(row)
        if known is None or known[0] != epoch:
            generator = np.random.default_rng((self._seed, row, epoch))
            known = self._orders[row] = epoch, generator.permutation(self._parts[row])
        return known[1]


def aggregated_positions(plan: TrainingPlan) -> int:
    """Return m, how many positions of a batch are aggregated: none but in EPSL."""
    return plan.instance.aggregated_samples if plan.framework is Framework.EPSL else 0


def on_device(samples: NDArray[np.float32], labels: IntArray, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return samples and labels as tensors on a device."""
    return torch.from_numpy(samples).to(device), torch.from_numpy(labels.astype(np.int64)).to(device)
