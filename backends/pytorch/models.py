"""The models of a training under way, and how one of its rounds moves them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.aggregation import Backpropagation, backpropagation
from epsl_opt.backends.pytorch.averaging import average, model_bits
from epsl_opt.backends.pytorch.optimisers import lr_factor, make_optimiser, set_learning_rate
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.split_step import StepResult, split_step
from epsl_opt.backends.pytorch.statistics import training_mode


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

    def of(self, client: int) -> Batch:
        """Return one client's part."""
        return Batch(self.samples[client : client + 1], self.labels[client : client + 1])


class Models:
    """Client-side replicas, one server-side model, and their optimisers.

    Parameters
    ----------
    client_side, server_side
        Both parts of the network; the first is copied for each replica.
    replicas
        Client-side models: one a client, or a single one that is handed on.
    shares
        lambda_i, shape (clients,), float32, on the device.
    options
        How to optimise and aggregate.
    """

    def __init__(
        self,
        client_side: nn.Sequential,
        server_side: nn.Sequential,
        replicas: int,
        shares: Tensor,
        options: TorchOptions,
    ) -> None:
        device = torch.device(options.device)
        self.clients = [copy.deepcopy(client_side).to(device) for _ in range(replicas)]
        self.server = server_side.to(device)
        self.shares = shares
        self.options = options
        self.generator = torch.Generator()
        parameters = [parameter for client in self.clients for parameter in client.parameters()]
        self.client_optimiser = make_optimiser(parameters, options)
        self.server_optimiser = make_optimiser(self.server.parameters(), options)
        self._backpropagate: Backpropagation = backpropagation(options, self.generator)
        self._alone = torch.ones_like(shares[:1])
        self.train()

    @property
    def networks(self) -> list[nn.Sequential]:
        """All models, the server's last."""
        return [*self.clients, self.server]

    def train(self) -> None:
        """Set all models up for training."""
        for network in self.networks:
            training_mode(network, self.options.batch_norm)

    def begin_round(self, finished_rounds: int, seed: int) -> None:
        """Set the learning rates and the random draws of a round."""
        self.generator.manual_seed(seed)
        factor, lr = lr_factor(finished_rounds, self.options), self.options.lr
        set_learning_rate(self.server_optimiser, factor * lr)
        set_learning_rate(self.client_optimiser, factor * (self.options.client_lr or lr))

    def accumulate(self, clients: Sequence[nn.Module], batch: Batch) -> StepResult:
        """Add the gradients of a step with these clients to what is there."""
        shares = self.shares if len(clients) == len(self.shares) else self._alone
        return split_step(
            clients, self.server, batch.samples, batch.labels, shares, batch.aggregated, self._backpropagate
        )

    def step_server(self) -> None:
        """Update the server-side model, and forget its gradients."""
        _step(self.server_optimiser)

    def step_clients(self) -> None:
        """Update the client-side models, and forget their gradients."""
        _step(self.client_optimiser)

    def average_clients(self) -> int:
        """Average the client-side models by their shares; return the bits of one model."""
        average(self.clients, self.shares)
        return model_bits(self.clients[0])


def _step(optimiser: torch.optim.Optimizer | None) -> None:
    if optimiser is not None:
        optimiser.step()
        optimiser.zero_grad()
