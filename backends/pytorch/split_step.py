"""One forward and backward pass of parallel split learning with aggregation: EPSL's step (paper, section IV)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from epsl_opt.backends.pytorch.aggregation import AggregatedRows, Backpropagation, gradient_of, one_a_client

CHECKED_STAGES = ("client forward", "server forward", "server backward")
"""The stages whose results `StepResult.checks` tells to be finite or not, in order."""


@dataclass(frozen=True)
class StepResult:
    """What a step gave besides gradients.

    Parameters
    ----------
    loss
        Mean loss of all samples, clients weighted by their shares; no dimensions.
    checks
        A sum over the result of each of `CHECKED_STAGES`, finite if all of it is; stays on the device.
    uplink_bits, downlink_bits
        Size of smashed data and of their gradients.
    """

    loss: Tensor
    checks: Tensor
    uplink_bits: int
    downlink_bits: int


def split_step(
    clients: Sequence[nn.Module],
    server: nn.Sequential,
    samples: Tensor,
    labels: Tensor,
    shares: Tensor,
    aggregated: int,
    backpropagate: Backpropagation,
) -> StepResult:
    """Leave the gradients of one EPSL step in the `grad` of all parameters, added to what is there.

    Parameters
    ----------
    clients, server
        The client-side models, one a client, and the server-side model.
    samples, labels
        The clients' batches, shapes (clients, b, ...) and (clients, b).
    shares
        lambda_i, shape (clients,), sum 1.
    aggregated
        m, how many positions of the batch are aggregated; 0 is parallel split learning.
    backpropagate
        How their gradients pass the server-side model.

    Notes
    -----
    The server-side model gets the gradient of the loss with clients weighted by their shares; a client-side model that
    of its own client's loss, since it is that client's alone. The server backpropagates exactly
    m + clients (b - m) rows (`per_client` apart).
    """
    sent = [client(x) for client, x in zip(clients, samples, strict=True)]
    smashed = torch.stack([tensor.detach() for tensor in sent])
    needed = any(tensor.requires_grad for tensor in sent)
    loss, gradient, downlink_bits = server_step(server, smashed, labels, shares, aggregated, backpropagate, needed)
    if needed:
        torch.autograd.backward(sent, list(gradient))
    checks = torch.stack([smashed.sum(), loss, gradient.sum()])
    return StepResult(loss, checks, bits(smashed), downlink_bits)


def server_step(
    server: nn.Sequential,
    smashed: Tensor,
    labels: Tensor,
    shares: Tensor,
    aggregated: int,
    backpropagate: Backpropagation,
    needed: bool = True,
) -> tuple[Tensor, Tensor, int]:
    """Run the server's part of a step (see `split_step` for the parameters).

    Returns the loss, the gradient of each client's smashed data, shape (clients, b, ...), if it is `needed`, and the
    bits that carry it.
    """
    m = aggregated
    scale = 1.0 / labels.shape[1]
    if m == 0:
        loss, own = _unaggregated(server, smashed, labels, shares, scale, needed)
        return loss, own, bits(own) if needed else 0
    rows = AggregatedRows(smashed[:, :m], labels[:, :m], shares, scale)
    loss, shared = backpropagate(server, rows)
    gradient = torch.empty_like(smashed)
    gradient[:, :m] = shared
    downlink_bits = bits(shared)
    if m < labels.shape[1]:
        rest, own = _unaggregated(server, smashed[:, m:], labels[:, m:], shares, scale, needed=True)
        loss, gradient[:, m:] = loss + rest, own
        downlink_bits += bits(own)
    return loss, gradient, downlink_bits if needed else 0


def _unaggregated(
    server: nn.Sequential, smashed: Tensor, labels: Tensor, shares: Tensor, scale: float, needed: bool
) -> tuple[Tensor, Tensor]:
    """Backpropagate every row; return the loss and the gradient of each client's own loss, (clients, rows, ...)."""
    points = smashed.flatten(0, 1).requires_grad_(needed)
    losses = functional.cross_entropy(server(points), labels.flatten(), reduction="none")
    weights = shares * scale
    loss = (weights @ losses.view_as(labels)).sum()
    torch.autograd.backward(loss)
    if not needed:
        return loss.detach(), torch.zeros_like(smashed[:, :0])
    gradient = gradient_of(points).view_as(smashed)
    return loss.detach(), gradient / one_a_client(shares, gradient)


def bits(tensor: Tensor) -> int:
    """Return the size of a tensor's numbers."""
    return 8 * tensor.numel() * tensor.element_size()
