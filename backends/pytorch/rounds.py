"""The models of a training under way, and how a round of each framework moves them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.aggregation import Backpropagation, backpropagation
from epsl_opt.backends.pytorch.averaging import average, model_bits
from epsl_opt.backends.pytorch.batch_norm import training_mode
from epsl_opt.backends.pytorch.feed import Batch
from epsl_opt.backends.pytorch.optimisers import lr_factor, make_optimiser
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.randomness import seed_generators
from epsl_opt.backends.pytorch.split_step import ClientSides, LocalClientSides, StepResult, split_step

Rule = Callable[[torch.Generator], Backpropagation]
"""How aggregated positions pass the server, given a generator for its draws."""

_PARTY_BITS = 20
"""Seeds of a round's parties differ in so many low bits."""

_OVERFLOW = "without overflow"
"""Part of what PyTorch says where a number of Python's is too large for those of a tensor."""


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
    rule
        How aggregated positions pass the server, if not as the options say.
    """

    def __init__(
        self,
        client_side: nn.Sequential,
        server_side: nn.Sequential,
        replicas: int,
        shares: Tensor,
        options: TorchOptions,
        rule: Rule | None = None,
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
        self._backpropagate = rule(self.generator) if rule else backpropagation(options, self.generator)
        self.train()

    @property
    def networks(self) -> list[nn.Sequential]:
        """All models, the server's last."""
        return [*self.clients, self.server]

    @property
    def client_bits(self) -> int:
        """Size of a client-side model on its way."""
        return model_bits(self.clients[0])

    def train(self) -> None:
        """Set all models up for training."""
        for network in self.networks:
            training_mode(network, self.options.batch_norm)

    def begin_round(self, finished_rounds: int, seed: int) -> None:
        """Set the learning rates and the random draws of a round."""
        self._seed = seed
        self.generator.manual_seed(seed)
        factor, lr = lr_factor(finished_rounds, self.options), self.options.lr
        for optimiser, own_lr in ((self.server_optimiser, lr), (self.client_optimiser, self.options.client_lr or lr)):
            for group in optimiser.param_groups if optimiser is not None else ():
                group["lr"] = factor * own_lr

    def accumulate(self, batch: Batch, client: int | None = None) -> StepResult:
        """Add the gradients of a step to what is there: of all clients together, or of a single one."""
        numbers = range(len(batch.labels)) if client is None else [client]
        rows = slice(None) if client is None else slice(client, client + 1)
        sides = LocalClientSides(
            [self.clients[number if len(self.clients) > 1 else 0] for number in numbers],
            batch.samples[rows],
            batch.labels[rows],
            lambda position: self.draw_as(None if position is None else numbers[position], turn=client),
        )
        return self.joint_step(sides, batch.aggregated, alone=client is not None)

    def joint_step(self, sides: ClientSides, aggregated: int, *, alone: bool) -> StepResult:
        """Make a step with clients wherever they are, all of them or one alone."""
        shares = torch.ones_like(self.shares[:1]) if alone else self.shares
        return split_step(sides, self.server, shares, aggregated, self._backpropagate)

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


def step(optimiser: torch.optim.Optimizer | None) -> None:
    """Update the parameters of an optimiser, if there are any, and forget their gradients.

    Where the step itself leaves the finite numbers, so do the parameters, and with them the next forward pass.
    """
    if optimiser is None:
        return
    try:
        optimiser.step()
    except (ArithmeticError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and _OVERFLOW not in str(error):
            raise
        with torch.no_grad():
            for group in optimiser.param_groups:
                for parameter in group["params"]:
                    parameter.fill_(math.nan)
    optimiser.zero_grad()


def parallel(models: Models, batch: Batch) -> StepResult:
    """All clients at once, the server-side model updated once: EPSL, or PSL if the batch has nothing to aggregate."""
    done = models.accumulate(batch)
    models.step_server()
    models.step_clients()
    return done


def server_in_turn(models: Models, batch: Batch) -> StepResult:
    """All clients at once, the server-side model updated after each of them, in a random order."""
    steps: dict[int, StepResult] = {}
    for client in torch.randperm(len(models.clients), generator=models.generator).tolist():
        steps[client] = models.accumulate(batch, client)
        models.step_server()
    models.step_clients()
    return _all_steps(models, steps)


def in_turn(models: Models, batch: Batch) -> StepResult:
    """Vanilla split learning: each client in turn trains the one client-side model, which it is sent and sends on."""
    steps: dict[int, StepResult] = {}
    for client in range(len(models.shares)):
        steps[client] = models.accumulate(batch, client)
        models.step_server()
        models.step_clients()
    done, handed = _all_steps(models, steps), len(steps) * models.client_bits
    return replace(done, uplink_bits=done.uplink_bits + handed, downlink_bits=done.downlink_bits + handed)


def federated(models: Models, batch: Batch) -> StepResult:
    """Every client trains the whole network on its own batch; what is sent is the networks, to be averaged."""
    done = models.accumulate(batch)
    models.step_clients()
    return replace(done, uplink_bits=0, downlink_bits=0)


def centralised(models: Models, batch: Batch) -> StepResult:
    """The server trains the whole network on one batch of all data; nothing is sent."""
    done = models.accumulate(batch)
    models.step_server()
    return replace(done, uplink_bits=0, downlink_bits=0)


def averaged(models: Models, done: StepResult) -> StepResult:
    """Average the client-side models: every client uploads its own, the average is broadcast."""
    models.average_clients()
    up, down = len(models.clients) * models.client_bits, models.client_bits
    return replace(done, uplink_bits=done.uplink_bits + up, downlink_bits=done.downlink_bits + down)


def _all_steps(models: Models, steps: Mapping[int, StepResult]) -> StepResult:
    """Sum up steps of single clients."""
    return StepResult(
        models.shares @ torch.stack([steps[client].loss for client in sorted(steps)]),
        torch.stack([step.checks for step in steps.values()]),
        sum(step.uplink_bits for step in steps.values()),
        sum(step.downlink_bits for step in steps.values()),
    )
