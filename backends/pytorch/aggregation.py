"""The server's work on the aggregated positions of a batch: one backpropagated row a position, not one a sample.

Every rule runs the forward pass of all clients' rows, leaves the gradient of the server-side model in the parameters'
`grad` and returns the loss and the gradient of the smashed data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from epsl_opt.backends.pytorch.options import Aggregation, Linearisation, TorchOptions


@dataclass(frozen=True)
class AggregatedRows:
    """The first m positions of every client's batch.

    Parameters
    ----------
    smashed
        Smashed data, shape (clients, m, ...).
    labels
        Shape (clients, m).
    shares
        lambda_i, shape (clients,), sum 1.
    scale
        1/b: gradients are means over the batch.
    """

    smashed: Tensor
    labels: Tensor
    shares: Tensor
    scale: float

    def mean(self, values: Tensor) -> Tensor:
        """Return the clients' mean by their shares: shape (clients, m, ...) to (m, ...)."""
        mean: Tensor = torch.tensordot(self.shares.to(values.dtype), values, dims=1)
        return mean

    def by_client(self, values: Tensor) -> Tensor:
        """Return values of all rows, shape (clients * m, ...), with the shape (clients, m, ...)."""
        return values.view(*self.labels.shape, *values.shape[1:])

    def weighted_loss(self, losses: Tensor) -> Tensor:
        """Return the part of the round's loss from the losses of rows in the order of `smashed`."""
        return self.mean(losses.view_as(self.labels)).sum() * self.scale

    def output_gradients(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses, shape (rows,), and the last layer's activation gradients g_ij, shape (clients, m, ...)."""
        outputs = logits.detach().requires_grad_()
        losses = functional.cross_entropy(outputs, self.labels.flatten(), reduction="none")
        (gradients,) = torch.autograd.grad(losses.sum(), outputs)
        return losses.detach(), self.by_client(gradients)


Backpropagation = Callable[[nn.Sequential, AggregatedRows], tuple[Tensor, Tensor]]
"""Server-side model, rows -> weighted loss; gradient of the smashed data: (m, ...) to broadcast, or (clients, m, ...).
"""


def mean_activation(server: nn.Sequential, rows: AggregatedRows) -> tuple[Tensor, Tensor]:
    """Pull the mean gradient back at the clients' mean smashed data."""
    with torch.no_grad():
        logits = server(rows.smashed.flatten(0, 1))
    losses, gradients = rows.output_gradients(logits)
    point = rows.mean(rows.smashed).requires_grad_()
    with unchanged_statistics(server):
        outputs = server(point)
    torch.autograd.backward(outputs, rows.mean(gradients) * rows.scale)
    return rows.weighted_loss(losses), gradient_of(point)


def layer_wise(server: nn.Sequential, rows: AggregatedRows) -> tuple[Tensor, Tensor]:
    """Pull the mean gradient back layer by layer, in each at the clients' mean of the layer's inputs."""
    points, activations = [], rows.smashed.flatten(0, 1)
    with torch.no_grad():
        for layer in server:
            points.append(rows.mean(rows.by_client(activations)))
            activations = layer(activations)
    losses, gradients = rows.output_gradients(activations)
    gradient = rows.mean(gradients) * rows.scale
    with unchanged_statistics(server):
        for layer, point in zip(reversed(server), reversed(points), strict=True):
            point.requires_grad_()
            if (output := layer(point)).requires_grad:
                torch.autograd.backward(output, gradient)
            gradient = gradient_of(point)
    return rows.weighted_loss(losses), gradient


def per_client(server: nn.Sequential, rows: AggregatedRows) -> tuple[Tensor, Tensor]:
    """Pull the mean gradient back at every client's own smashed data."""
    points = rows.smashed.flatten(0, 1).requires_grad_()
    logits = server(points)
    losses, gradients = rows.output_gradients(logits)
    mean = rows.mean(gradients).expand_as(gradients) * rows.scale
    torch.autograd.backward(logits, (one_a_client(rows.shares, mean) * mean).flatten(0, 1))
    gradient = rows.by_client(gradient_of(points))
    return rows.weighted_loss(losses), gradient / one_a_client(rows.shares, gradient)


def representative(generator: torch.Generator) -> Backpropagation:
    """Pull back, at each position, the own gradient of one client drawn by its share, at its own smashed data."""

    def backpropagate(server: nn.Sequential, rows: AggregatedRows) -> tuple[Tensor, Tensor]:
        n_clients, m = rows.labels.shape
        drawn = torch.multinomial(rows.shares.cpu(), m, replacement=True, generator=generator).to(rows.labels.device)
        chosen = torch.zeros_like(rows.labels, dtype=torch.bool)
        chosen[drawn, torch.arange(m, device=drawn.device)] = True
        losses = torch.empty(rows.labels.shape, device=rows.smashed.device, dtype=rows.smashed.dtype)
        if n_clients > 1:
            with torch.no_grad():
                others = server(rows.smashed[~chosen])
                losses[~chosen] = functional.cross_entropy(others, rows.labels[~chosen], reduction="none")
        # Rows taken by a mask come client by client; by index, position by position, as they are broadcast.
        positions = torch.arange(m, device=drawn.device)
        points = rows.smashed[drawn, positions].requires_grad_()
        own = functional.cross_entropy(server(points), rows.labels[drawn, positions], reduction="none")
        torch.autograd.backward(own.sum() * rows.scale)
        losses[drawn, positions] = own.detach()
        return rows.weighted_loss(losses), gradient_of(points)

    return backpropagate


@contextmanager
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


def one_a_client(values: Tensor, like: Tensor) -> Tensor:
    """Return one value a client, shape (clients,), shaped to multiply a tensor of shape (clients, ...)."""
    return values.to(like.dtype).view(-1, *[1] * (like.dim() - 1))


def gradient_of(tensor: Tensor) -> Tensor:
    """Return the gradient that a backward pass left in a leaf: 0 if it was stopped before it came there."""
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


_LINEARISATIONS: dict[Linearisation, Backpropagation] = {
    Linearisation.MEAN_ACTIVATION: mean_activation,
    Linearisation.LAYER_WISE: layer_wise,
    Linearisation.PER_CLIENT: per_client,
}


def backpropagation(options: TorchOptions, generator: torch.Generator) -> Backpropagation:
    """Return the rule that the options ask for; `generator` is for its draws."""
    if options.aggregation is Aggregation.REPRESENTATIVE:
        return representative(generator)
    return _LINEARISATIONS[options.linearization]
