"""The models of a training under way, and how one of its rounds moves them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.aggregation import Backpropagation, backpropagation
from epsl_opt.backends.pytorch.averaging import average, model_bits
from epsl_opt.backends.pytorch.optimisers import lr_factor, make_optimiser, set_learning_rate
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.randomness import seed_generators
from epsl_opt.backends.pytorch.split_step import ClientSides, LocalClientSides, SmashedData, StepResult, joint_step
from epsl_opt.backends.pytorch.statistics import training_mode

_PARTY_BITS = 20
"""Seeds of a round's parties differ in so many low bits."""

_OVERFLOW = "without overflow"
"""Part of what PyTorch says where a number of Python's is too large for those of a tensor."""


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


@dataclass
class _DrawingClientSides(LocalClientSides):
    """Local clients that draw random numbers of their own, and a server that then does.

    Parameters
    ----------
    draw_as
        Called with the index of each client before its forward pass, and with None before the server's part.
    numbers
        The clients' indices.
    """

    draw_as: Callable[[int | None], None]
    numbers: Sequence[int]

    def forward(self) -> SmashedData:
        found = super().forward()
        self.draw_as(None)
        return found

    def smash(self, position: int, client: nn.Module) -> Tensor:
        self.draw_as(self.numbers[position])
        return super().smash(position, client)


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
        self._seed = 0
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
        self._seed = seed
        self.generator.manual_seed(seed)
        factor, lr = lr_factor(finished_rounds, self.options), self.options.lr
        set_learning_rate(self.server_optimiser, factor * lr)
        set_learning_rate(self.client_optimiser, factor * (self.options.client_lr or lr))

    def accumulate(self, batch: Batch, client: int | None = None) -> StepResult:
        """Add the gradients of a step to what is there: of all clients together, or of a single one."""
        numbers = range(len(batch.labels)) if client is None else [client]
        rows = slice(None) if client is None else slice(client, client + 1)
        replicas = [self.clients[number if len(self.clients) > 1 else 0] for number in numbers]
        sides = _DrawingClientSides(
            replicas, batch.samples[rows], batch.labels[rows], partial(self.draw_as, turn=client), numbers
        )
        return self.joint_step(sides, batch.aggregated, alone=client is not None)

    def joint_step(self, sides: ClientSides, aggregated: int, *, alone: bool) -> StepResult:
        """Make a step with clients wherever they are, all of them or one alone."""
        shares = self._alone if alone else self.shares
        return joint_step(sides, self.server, shares, aggregated, self._backpropagate)

    def draw_as(self, client: int | None, turn: int | None = None) -> None:
        """Let what is random in networks, like dropout, be the own of this client, or of the server in a turn."""
        party = client if client is not None else len(self.shares) + (0 if turn is None else 1 + turn)
        seed_generators((self._seed << _PARTY_BITS) + party)

    def step_server(self) -> None:
        """Update the server-side model, and forget its gradients."""
        step(self.server_optimiser)

    def step_clients(self) -> None:
        """Update the client-side models, and forget their gradients."""
        step(self.client_optimiser)

    def average_clients(self) -> None:
        """Average the client-side models by their shares."""
        average(self.clients, self.shares)

    @property
    def client_bits(self) -> int:
        """Size of a client-side model on its way."""
        return model_bits(self.clients[0])


def step(optimiser: torch.optim.Optimizer | None) -> None:
    """Update the parameters of an optimiser, if there are any, and forget their gradients.

    Where the step itself leaves the finite numbers, so do the parameters, and with them the next forward pass.
    """
    if optimiser is not None:
        try:
            optimiser.step()
        except (ArithmeticError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and _OVERFLOW not in str(error):
                raise
            _spoil(optimiser)
        optimiser.zero_grad()


@torch.no_grad()
def _spoil(optimiser: torch.optim.Optimizer) -> None:
    for group in optimiser.param_groups:
        for parameter in group["params"]:
            parameter.fill_(math.nan)
