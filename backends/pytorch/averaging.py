"""Averaging models: what SplitFed and federated averaging do at the end of a round."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.split_step import bits


def exchanged(network: nn.Module) -> list[Tensor]:
    """Return what travels when a model is sent: trained parameters and the running statistics of normalisation layers.

    Frozen parameters are the same everywhere and stay so.
    """
    buffers = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
    return [*(parameter.detach() for parameter in network.parameters() if parameter.requires_grad), *buffers]


def model_bits(network: nn.Module) -> int:
    """Return the size of a model on its way."""
    return sum(bits(tensor) for tensor in exchanged(network))


@torch.no_grad()
def average(networks: Sequence[nn.Module], shares: Tensor) -> None:
    """Set every network to the mean of all, weighted by `shares`, shape (networks,).

    A buffer that no client changed (a mask, a table of positions) stays what it is, without rounding.
    """
    parameters = sum(parameter.requires_grad for parameter in networks[0].parameters())
    for position, replicas in enumerate(zip(*(exchanged(network) for network in networks), strict=True)):
        stacked = torch.stack(replicas)
        mean = torch.tensordot(shares.to(stacked.dtype), stacked, dims=1)
        if position >= parameters:
            mean = torch.where((stacked == stacked[0]).all(dim=0), stacked[0], mean)
        for replica in replicas:
            replica.copy_(mean)
