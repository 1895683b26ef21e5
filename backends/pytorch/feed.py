"""The samples of a training on their device, and which of them make a round's batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.pytorch.batches import BatchStream
from epsl_opt.backends.pytorch.models import Batch
from epsl_opt.backends.pytorch.options import Pairing, TorchOptions
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import TrainingPlan


class Feed:
    """Makes batches of the training samples, a function of plan and round.

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
    """

    def __init__(
        self, plan: TrainingPlan, options: TorchOptions, data: Dataset, parts: Sequence[IntArray], batch_size: int
    ) -> None:
        self._by_label = options.pairing is Pairing.LABEL
        self._samples, self._labels = on_device(data.train_x, data.train_y, torch.device(options.device))
        self._stream = BatchStream(parts, batch_size, plan.seed)
        self.aggregated = plan.instance.aggregated_samples if plan.framework is Framework.EPSL else 0

    def batch(self, finished_rounds: int, client: int | None = None) -> Batch:
        """Return the batch that follows so many rounds, or one client's row of it."""
        chosen, m = self._stream.indices(finished_rounds, client).to(self._labels.device), self.aggregated
        if m and self._by_label:
            order = self._labels[chosen[:, :m]].argsort(stable=True)
            chosen = torch.cat([chosen[:, :m].gather(1, order), chosen[:, m:]], dim=1)
        return Batch(self._samples[chosen], self._labels[chosen], m)


def on_device(samples: np.ndarray[Any, Any], labels: IntArray, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return samples and labels as tensors on a device."""
    return torch.from_numpy(samples).to(device), torch.from_numpy(labels.astype(np.int64)).to(device)
