"""Batch normalisation: which passes change the running statistics, and which use them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from epsl_opt.backends.pytorch.options import BatchNorm
from epsl_opt.core.errors import InputError


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """Return the batch normalisation layers that keep running statistics."""
    return [part for part in network.modules() if isinstance(part, _BatchNorm) and part.track_running_stats]


@contextlib.contextmanager
def unchanged_statistics(network: nn.Module) -> Iterator[None]:
    """Let passes in the block compute as before, without counting into what buffers keep, running statistics say.

    Passes write to copies, so that their own backward passes find what they have written.
    """
    kept = [(part, key, buffer) for part in network.modules() for key, buffer in part._buffers.items()]
    copies = {id(buffer): buffer.clone() for _, _, buffer in kept if buffer is not None}
    for part, key, buffer in kept:
        part._buffers[key] = None if buffer is None else copies[id(buffer)]
    try:
        yield
    finally:
        for part, key, buffer in kept:
            part._buffers[key] = buffer


def training_mode(network: nn.Module, batch_norm: BatchNorm) -> None:
    """Set a network up for training."""
    network.train()
    if batch_norm is BatchNorm.FROZEN:
        for layer in batch_norms(network):
            layer.eval()


@contextlib.contextmanager
def explained_batch_norm() -> Iterator[None]:
    """Say what to do where batch normalisation has a single row to normalise.

    Raises
    ------
    InputError
        Instead of PyTorch's own error.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        remedy = "take larger batches, another phi, or batch_norm=frozen"
        raise InputError(
            "backend torch", f"batch normalisation got a single row, which has no variance; {remedy}"
        ) from error
