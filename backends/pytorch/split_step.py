"""One forward and backward pass of parallel split learning with aggregation: EPSL's step (paper, section IV)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from epsl_opt.backends.pytorch.aggregation import AggregatedRows, Backpropagation, gradient_of, one_a_client

CHECKED_STAGES = ("client forward", "server forward", "server backward")
"""The stages whose results `StepResult.checks` tells to be finite or not, in order."""


@dataclass(frozen=True)
class StepResult:
    """What a step, or all steps of a round, gave besides gradients.

    Parameters
    ----------
    loss
        Mean loss of all samples, clients weighted by their shares; no dimensions.
    checks
        A sum over the result of each of `CHECKED_STAGES`, finite if all of it is, shape (stages,) or (steps, stages);
        stays on the device.
    uplink_bits, downlink_bits
        Size of what was sent: smashed data and their gradients, and models where a round sends them.
    """

    loss: Tensor
    checks: Tensor
    uplink_bits: int = 0
    downlink_bits: int = 0


@dataclass(frozen=True)
class SmashedData:
    """What the clients' forward passes gave.

    Parameters
    ----------
    values, labels
        Shapes (clients, b, ...) and (clients, b).
    trained
        Whether the clients need its gradient.
    """

    values: Tensor
    labels: Tensor
    trained: bool = True


@dataclass(frozen=True)
class CutGradients:
    """What the server found.

    Parameters
    ----------
    loss
        Mean loss of all samples, clients weighted by their shares; no dimensions.
    shared
        Gradient of the first m positions: one for all clients, shape (m, ...), which is broadcast, or one a client,
        shape (clients, m, ...); None if nothing is aggregated.
    own
        Each client's gradient of the other positions, shape (clients, b - m, ...); None if all are aggregated.
    """

    loss: Tensor
    shared: Tensor | None
    own: Tensor | None

    @property
    def bits(self) -> int:
        """Size of the gradients."""
        return sum(bits(tensor) for tensor in (self.shared, self.own) if tensor is not None)

    def whole(self, smashed: Tensor) -> Tensor:
        """Return the gradient of the smashed data, shape (clients, b, ...)."""
        if self.shared is None:
            return smashed[:, :0] if self.own is None else self.own
        m = smashed.shape[1] - (0 if self.own is None else self.own.shape[1])
        gradient = torch.empty_like(smashed)
        gradient[:, :m] = self.shared
        if self.own is not None:
            gradient[:, m:] = self.own
        return gradient


class ClientSides(Protocol):
    """The clients' parts of a step, wherever they are computed."""

    def forward(self) -> SmashedData:
        """Run the clients' forward passes."""

    def backward(self, found: CutGradients, gradient: Tensor) -> None:
        """Run the clients' backward passes; `gradient` is what was found as one tensor, shape (clients, b, ...)."""


@dataclass
class LocalClientSides:
    """Clients computed here, one after another.

    Parameters
    ----------
    clients
        The client-side models, one a client.
    samples, labels
        The clients' batches, shapes (clients, b, ...) and (clients, b).
    draw_as
        Called with the position of each client before its forward pass, and with None before the server's part.
    """

    clients: Sequence[nn.Module]
    samples: Tensor
    labels: Tensor
    draw_as: Callable[[int | None], object] = lambda _: None

    def forward(self) -> SmashedData:
        """Run the clients' forward passes."""
        self._sent = [self._smash(position) for position in range(len(self.clients))]
        self.draw_as(None)
        smashed = torch.stack([tensor.detach() for tensor in self._sent])
        return SmashedData(smashed, self.labels, any(tensor.requires_grad for tensor in self._sent))

    def backward(self, found: CutGradients, gradient: Tensor) -> None:
        """Run the clients' backward passes as one."""
        reached = [(sent, own) for sent, own in zip(self._sent, gradient, strict=True) if sent.requires_grad]
        torch.autograd.backward([sent for sent, _ in reached], [own for _, own in reached])

    def _smash(self, position: int) -> Tensor:
        self.draw_as(position)
        smashed: Tensor = self.clients[position](self.samples[position])
        return smashed


def split_step(
    clients: ClientSides, server: nn.Sequential, shares: Tensor, aggregated: int, backpropagate: Backpropagation
) -> StepResult:
    """Leave the gradients of one EPSL step in the `grad` of all parameters, added to what is there.

    Parameters
    ----------
    clients, server
        The clients' parts with their batches, and the server-side model.
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
    smashed = clients.forward()
    found = server_step(
        server, smashed.values, smashed.labels, shares, aggregated, backpropagate, needed=smashed.trained
    )
    gradient = found.whole(smashed.values)
    if smashed.trained:
        clients.backward(found, gradient)
    checks = torch.stack([smashed.values.sum(), found.loss, gradient.sum()])
    return StepResult(found.loss, checks, bits(smashed.values), found.bits if smashed.trained else 0)


def server_step(
    server: nn.Sequential,
    smashed: Tensor,
    labels: Tensor,
    shares: Tensor,
    aggregated: int,
    backpropagate: Backpropagation,
    *,
    needed: bool = True,
) -> CutGradients:
    """Run the server's part of a step (see `split_step` for the parameters).

    The gradient of unaggregated smashed data has no rows if it is not `needed` and nothing is aggregated.
    """
    m = aggregated
    scale = 1.0 / labels.shape[1]
    if m == 0:
        loss, own = _unaggregated(server, smashed, labels, shares, scale, needed)
        return CutGradients(loss, None, own)
    rows = AggregatedRows(smashed[:, :m], labels[:, :m], shares, scale)
    loss, shared = backpropagate(server, rows)
    if m == labels.shape[1]:
        return CutGradients(loss, shared, None)
    rest, own = _unaggregated(server, smashed[:, m:], labels[:, m:], shares, scale, needed=True)
    return CutGradients(loss + rest, shared, own)


def _unaggregated(
    server: nn.Sequential, smashed: Tensor, labels: Tensor, shares: Tensor, scale: float, needed: bool
) -> tuple[Tensor, Tensor]:
    """Backpropagate every row; return the loss and the gradient of each client's own loss, (clients, rows, ...)."""
    points = smashed.flatten(0, 1).requires_grad_(needed)
    losses = functional.cross_entropy(server(points), labels.flatten(), reduction="none")
    weights = (shares * scale).to(losses.dtype)
    loss = (weights @ losses.view_as(labels)).sum()
    torch.autograd.backward(loss)
    if not needed:
        return loss.detach(), torch.zeros_like(smashed[:, :0])
    gradient = gradient_of(points).view_as(smashed)
    return loss.detach(), gradient / one_a_client(shares, gradient)


def bits(tensor: Tensor) -> int:
    """Return the size of a tensor's numbers."""
    return 8 * tensor.numel() * tensor.element_size()
