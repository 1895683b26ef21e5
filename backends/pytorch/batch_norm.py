"""Batch normalisation in training: whether passes normalise with their own statistics or the running ones."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from epsl_opt.backends.pytorch.options import BatchNorm


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """Return the batch normalisation layers that keep running statistics."""
    return [part for part in network.modules() if isinstance(part, _BatchNorm) and part.track_running_stats]


def training_mode(network: nn.Module, batch_norm: BatchNorm) -> None:
    """Set a network up for training."""
    network.train()
    if batch_norm is BatchNorm.FROZEN:
        for layer in batch_norms(network):
            layer.eval()
