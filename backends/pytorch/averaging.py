"""Averaging models: what SplitFed and federated averaging do at the end of a round."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.split_step import bits


def exchanged(network: nn.Module) -> list[Tensor]:
    """Return what travels when a model is sent: parameters and the running statistics of normalisation layers."""
    buffers = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
    return [*(parameter.detach() for parameter in network.parameters()), *buffers]


def model_bits(network: nn.Module) -> int:
    """Return the size of a model on its way."""
    return sum(bits(tensor) for tensor in exchanged(network))


@torch.no_grad()
def average(networks: Sequence[nn.Module], shares: Tensor) -> None:
    """Set every network to the mean of all, weighted by `shares`, shape (networks,)."""
    for replicas in zip(*(exchanged(network) for network in networks), strict=True):
        mean = torch.tensordot(shares, torch.stack(replicas), dims=1)
        for replica in replicas:
            replica.copy_(mean)
