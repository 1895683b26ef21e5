"""One round of each framework, made of the same split steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from epsl_opt.backends.pytorch.models import Batch, Models
from epsl_opt.backends.pytorch.split_step import StepResult
from epsl_opt.core.framework import Framework


@dataclass(frozen=True)
class RoundResult:
    """What a round gave: loss (no dimensions), checks (steps, stages; see `StepResult`), bits sent."""

    loss: Tensor
    checks: Tensor
    uplink_bits: int = 0
    downlink_bits: int = 0


def parallel(models: Models, batch: Batch) -> RoundResult:
    """All clients at once, the server-side model updated once: EPSL, or PSL if the batch has nothing to aggregate."""
    step = models.accumulate(batch)
    models.step_server()
    models.step_clients()
    return RoundResult(step.loss, step.checks[None], step.uplink_bits, step.downlink_bits)


def split_fed(models: Models, batch: Batch) -> RoundResult:
    """PSL, then the client-side models are averaged.

    The server-side copies that SplitFed version 1 averages are one model here: after one step each of plain SGD from
    the same weights, their average is the step of the averaged gradient.
    """
    done = parallel(models, batch)
    return _averaged(models, done)


def split_fed_in_turn(models: Models, batch: Batch) -> RoundResult:
    """SplitFed version 2: the server-side model is updated after each client, in a random order."""
    steps: dict[int, StepResult] = {}
    for client in torch.randperm(len(models.clients), generator=models.generator).tolist():
        steps[client] = models.accumulate(batch, client)
        models.step_server()
    models.step_clients()
    return _averaged(models, _all_steps(models, steps))


def in_turn(models: Models, batch: Batch) -> RoundResult:
    """Vanilla split learning: each client in turn trains the one client-side model, which it is sent and sends on."""
    steps: dict[int, StepResult] = {}
    for client in range(len(models.shares)):
        steps[client] = models.accumulate(batch, client)
        models.step_server()
        models.step_clients()
    done = _all_steps(models, steps)
    handed = len(steps) * models.client_bits
    return RoundResult(done.loss, done.checks, done.uplink_bits + handed, done.downlink_bits + handed)


def federated(models: Models, batch: Batch) -> RoundResult:
    """Every client trains the whole network on its own batch; then the networks are averaged."""
    step = models.accumulate(batch)
    models.step_clients()
    return _averaged(models, RoundResult(step.loss, step.checks[None]))


def centralised(models: Models, batch: Batch) -> RoundResult:
    """The server trains the whole network on one batch of all data; nothing is sent."""
    step = models.accumulate(batch)
    models.step_server()
    return RoundResult(step.loss, step.checks[None])


def _averaged(models: Models, done: RoundResult) -> RoundResult:
    """Average the client-side models: every client uploads its own, the average is broadcast."""
    models.average_clients()
    uplink_bits = done.uplink_bits + len(models.clients) * models.client_bits
    return RoundResult(done.loss, done.checks, uplink_bits, done.downlink_bits + models.client_bits)


def _all_steps(models: Models, steps: dict[int, StepResult]) -> RoundResult:
    """Sum up steps of single clients."""
    losses = torch.stack([steps[client].loss for client in sorted(steps)])
    return RoundResult(
        models.shares @ losses,
        torch.stack([step.checks for step in steps.values()]),
        sum(step.uplink_bits for step in steps.values()),
        sum(step.downlink_bits for step in steps.values()),
    )


class ClientSide(StrEnum):
    """Which part of the network clients hold."""

    CUT = "cut"
    """Up to the schedule's cut layer."""
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True)
class Strategy:
    """How a framework deploys the network and trains one round.

    Parameters
    ----------
    train
        Moves the models by one batch.
    client_side
        What clients hold.
    replicated
        Whether each client has a client-side model of its own, or there is one for all.
    pooled
        Whether there is one batch of all data instead of one a client.
    averaged
        Whether all client-side models are equal after a round.
    in_turn
        Whether clients train one after another.
    """

    train: Callable[[Models, Batch], RoundResult]
    client_side: ClientSide = ClientSide.CUT
    replicated: bool = True
    pooled: bool = False
    averaged: bool = False
    in_turn: bool = False


STRATEGIES = {
    Framework.EPSL: Strategy(parallel),
    Framework.PSL: Strategy(parallel),
    Framework.SFL: Strategy(split_fed, averaged=True),
    Framework.SFL_V2: Strategy(split_fed_in_turn, averaged=True, in_turn=True),
    Framework.SL: Strategy(in_turn, replicated=False, in_turn=True),
    Framework.FL: Strategy(federated, client_side=ClientSide.ALL, averaged=True),
    Framework.CENTRALISED: Strategy(centralised, client_side=ClientSide.NONE, replicated=False, pooled=True),
}
