"""The rounds that `training_speed.py` times: ours, the limit, and the idiom that most split-learning code follows."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from epsl_opt.backends.pytorch.aggregation import mean_activation, representative
from epsl_opt.backends.pytorch.feed import Batch
from epsl_opt.backends.pytorch.options import Aggregation, TorchOptions
from epsl_opt.backends.pytorch.rounds import Models, parallel
from epsl_opt.backends.pytorch.split_step import server_step

Round = Callable[[], object]
LR = 0.01


@dataclass(frozen=True)
class Setting:
    """A network as plain modules, cut after `cut` of them, and a batch for each client.

    Every contender copies the modules, so that all begin alike.
    """

    segments: tuple[nn.Module, ...]
    cut: int
    samples: Tensor
    labels: Tensor

    def halves(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Return new copies of client-side and server-side model."""
        parts = copy.deepcopy(self.segments)
        return nn.Sequential(*parts[: self.cut]), nn.Sequential(*parts[self.cut :])

    @property
    def shares(self) -> Tensor:
        """Equal shares."""
        return torch.full((len(self.labels),), 1 / len(self.labels))


def our_round(setting: Setting, phi: float, aggregation: Aggregation = Aggregation.MEAN) -> Round:
    """Return this project's round of EPSL; phi = 0 is PSL."""
    options = TorchOptions(lr=LR, momentum=0.0, aggregation=aggregation)
    models = Models(*setting.halves(), len(setting.labels), setting.shares, options)
    batch = Batch(setting.samples, setting.labels, round(phi * setting.labels.shape[1]))
    return lambda: parallel(models, batch)


def plain_step(setting: Setting) -> Round:
    """Return the limit: forward, backward and step of the undivided network on all clients' samples at once."""
    network = nn.Sequential(*copy.deepcopy(setting.segments))
    optimiser = torch.optim.SGD(network.parameters(), LR)
    samples, labels = setting.samples.flatten(0, 1), setting.labels.flatten()

    def run() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(network(samples), labels).backward()
        optimiser.step()

    return run


def per_client_loop(setting: Setting) -> Round:
    """Return PSL as it is often written: for each client a copy of the server-side model with a new optimiser.

    The copies are averaged at the end of the round. Weights move as in PSL.
    """
    clients = [setting.halves()[0] for _ in setting.labels]
    optimisers = [torch.optim.SGD(client.parameters(), LR) for client in clients]
    server = setting.halves()[1]

    def run() -> None:
        trained = []
        for client, optimiser, x, y in zip(clients, optimisers, setting.samples, setting.labels, strict=True):
            copied = copy.deepcopy(server)
            server_optimiser = torch.optim.SGD(copied.parameters(), LR)
            server_optimiser.zero_grad()
            optimiser.zero_grad()
            sent = client(x)
            received = sent.clone().detach().requires_grad_()
            functional.cross_entropy(copied(received), y).backward()
            server_optimiser.step()
            sent.backward(received.grad)
            optimiser.step()
            trained.append(copied.state_dict())
        server.load_state_dict(_mean(trained))

    return run


def _mean(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    mean = copy.deepcopy(states[0])
    for key in mean:
        for state in states[1:]:
            mean[key] = mean[key] + state[key]
        mean[key] = torch.div(mean[key], len(states))
    return mean


def server_part(setting: Setting, phi: float, aggregation: Aggregation = Aggregation.MEAN) -> Round:
    """Return the server's forward and backward pass alone, smashed data given."""
    client, server = setting.halves()
    with torch.no_grad():
        smashed = torch.stack([client(x) for x in setting.samples])
    draws = torch.Generator().manual_seed(0)
    rule = representative(draws) if aggregation is Aggregation.REPRESENTATIVE else mean_activation
    m = round(phi * setting.labels.shape[1])

    def run() -> None:
        server.zero_grad()
        server_step(server, smashed, setting.labels, setting.shares, m, rule)

    return run
