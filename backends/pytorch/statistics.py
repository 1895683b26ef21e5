"""Batch normalisation: which passes change the running statistics, and which use them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from epsl_opt.backends.pytorch.options import BatchNorm


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """Return the batch normalisation layers that keep running statistics."""
    return [part for part in network.modules() if isinstance(part, _BatchNorm) and part.track_running_stats]


@contextlib.contextmanager
def unchanged_statistics(network: nn.Module) -> Iterator[None]:
    """Normalise with batch statistics in the block as before, without counting them into the running ones."""
    layers = [layer for layer in batch_norms(network) if layer.training]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True


def training_mode(network: nn.Module, batch_norm: BatchNorm) -> None:
    """Set a network up for training."""
    network.train()
    if batch_norm is BatchNorm.FROZEN:
        for layer in batch_norms(network):
            layer.eval()
