"""A training under way: what a framework deploys where, and one round after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from torch import Tensor, nn

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.pytorch import rounds
from epsl_opt.backends.pytorch.chain import Chain
from epsl_opt.backends.pytorch.checkpoint import restore_models, save_models
from epsl_opt.backends.pytorch.devices import ready_device
from epsl_opt.backends.pytorch.evaluation import evaluate
from epsl_opt.backends.pytorch.feed import Batch, Feed, on_device
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.randomness import generators_restored, seed_generators
from epsl_opt.backends.pytorch.rounds import Models
from epsl_opt.backends.pytorch.split_step import CHECKED_STAGES, StepResult
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import DivergenceError, RoundOutcome, Scores, TrainingPlan, TrainingSession

Deploy = Callable[[nn.Sequential, nn.Sequential, int, Tensor, TorchOptions], Models]
"""Makes the models of a training, wherever they are; arguments as of `Models`."""


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
    average_every
        After every so many rounds the client-side models are averaged; as the plan says if None.
    in_turn
        Whether clients train one after another.
    """

    train: Callable[[Models, Batch], StepResult]
    client_side: ClientSide = ClientSide.CUT
    replicated: bool = True
    pooled: bool = False
    average_every: int | None = None
    in_turn: bool = False


STRATEGIES = {
    Framework.EPSL: Strategy(rounds.parallel),
    Framework.PSL: Strategy(rounds.parallel),
    # The server-side copies that SplitFed version 1 averages are one model: after one step each of plain SGD from the
    # same weights, their average is the step of the averaged gradient.
    Framework.SFL: Strategy(rounds.parallel, average_every=1),
    Framework.SFL_V2: Strategy(rounds.server_in_turn, average_every=1, in_turn=True),
    Framework.SL: Strategy(rounds.in_turn, replicated=False, in_turn=True),
    Framework.FL: Strategy(rounds.federated, client_side=ClientSide.ALL, average_every=1),
    Framework.CENTRALISED: Strategy(rounds.centralised, client_side=ClientSide.NONE, replicated=False, pooled=True),
}


class TorchSession(TrainingSession):
    """Trains one chain of segments on one data set.

    Parameters
    ----------
    plan, options
        What to train, and how.
    data
        The samples; they are put on the device.
    parts
        Each client's samples, as indices into the training data.
    chain
        The network with its initial weights.
    deploy
        Makes the models; here if not said otherwise.
    batch
        Returns the batch that follows so many rounds; drawn from the data if not given.

    Attributes
    ----------
    data, batch
        As the parameters.
    models
        Client-side and server-side models as they are now.
    test_samples, test_labels
        What is not trained on.
    finished_rounds
        How many rounds have been trained.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        options: TorchOptions,
        data: Dataset,
        parts: Sequence[IntArray],
        chain: Chain,
        deploy: Deploy = Models,
        batch: Callable[[int], Batch] | None = None,
    ) -> None:
        self.data, self._plan, self._parts, self._chain = data, plan, parts, chain
        self._strategy = strategy = STRATEGIES[plan.framework]
        self._average_every = strategy.average_every or plan.average_every
        self._device = device = ready_device(options.device)
        self.test_samples, self.test_labels = on_device(data.test_x, data.test_y, device)
        self._held = held_segments(plan, chain)
        shares = [1.0] if strategy.pooled else np.array([len(part) for part in parts]) / sum(map(len, parts))
        self.models = deploy(
            chain.client_side(self._held),
            chain.server_side(self._held),
            len(parts) if strategy.replicated else 1,
            torch.tensor(shares, dtype=torch.float32, device=device),
            options,
        )
        self.finished_rounds = 0
        self.batch = batch or self._feed(options).batch

    @property
    def server_layers(self) -> tuple[str, ...]:
        """Names of the server's segments."""
        return self._chain.names[self._held :]

    def train_round(self) -> RoundOutcome:
        """Train one round; random draws are a function of seed and round."""
        seed = int(np.random.SeedSequence((self._plan.seed, self.finished_rounds)).generate_state(1)[0])
        self.models.begin_round(self.finished_rounds, seed)
        with generators_restored(self._device):
            seed_generators(seed)
            with explained_batch_norm():
                result = self._strategy.train(self.models, self.batch(self.finished_rounds))
            if self._average_every and (self.finished_rounds + 1) % self._average_every == 0:
                result = rounds.averaged(self.models, result)
        loss = _finite_loss(result)
        self.finished_rounds += 1
        return RoundOutcome(loss, result.uplink_bits, result.downlink_bits)

    def evaluate(self) -> Scores:
        """Score every distinct client-side model with the server's."""
        for network in self.models.networks:
            network.eval()
        alike = self._average_every and self.finished_rounds % self._average_every == 0
        clients = self.models.clients[:1] if alike else self.models.clients
        scores = evaluate(clients, self.models.server, self.test_samples, self.test_labels, len(self.data.classes))
        self.models.train()
        return scores

    def save(self, metadata: str) -> bytes:
        """Return a safetensors file."""
        return save_models(self.models, self.finished_rounds, metadata)

    def restore(self, checkpoint: bytes) -> str:
        """Go back to a safetensors file that `save` returned."""
        self.finished_rounds, metadata = restore_models(self.models, checkpoint)
        return metadata

    def describe(self) -> dict[str, object]:
        """Say what is trained on what."""
        parameters = [sum(p.numel() for p in network.parameters()) for network in self.models.networks]
        return {
            "data": self.data.name,
            "train_samples": len(self.data.train_y),
            "test_samples": len(self.data.test_y),
            "classes": len(self.data.classes),
            "majority_rate": self.data.majority_rate,
            "client_samples": [len(part) for part in self._parts],
            "network": self._chain.name,
            "client_side_parameters": parameters[0],
            "server_side_parameters": parameters[-1],
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }

    def _feed(self, options: TorchOptions) -> Feed:
        batch_size = self._plan.instance.training.batch_size
        if not self._strategy.pooled:
            return Feed(self._plan, options, self.data, self._parts, batch_size)
        pool = [np.concatenate(self._parts)]
        return Feed(self._plan, options, self.data, pool, batch_size * len(self._parts))


def held_segments(plan: TrainingPlan, chain: Chain) -> int:
    """Return how many segments of the network clients hold.

    Raises
    ------
    InputError
        If the schedule's cut layer is no cut point of the network.
    """
    match STRATEGIES[plan.framework].client_side:
        case ClientSide.CUT:
            cut = plan.instance.model.cut_layers[plan.schedule.cut_layer].name
            if cut not in chain.names[:-1]:
                raise InputError("schedule", f"{cut!r} is no cut point of {chain.name}", "cut_layer")
            return chain.names.index(cut) + 1
        case ClientSide.ALL:
            return len(chain.segments)
        case ClientSide.NONE:
            return 0


@contextmanager
def explained_batch_norm() -> Iterator[None]:
    """Say what to do where batch normalisation has a single row to normalise.

    Raises
    ------
    InputError
        Instead of PyTorch's own error.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        remedy = "take larger batches, another phi, or batch_norm=frozen"
        raise InputError(
            "backend torch", f"batch normalisation got a single row, which has no variance; {remedy}"
        ) from error


def _finite_loss(result: StepResult) -> float:
    """Return the loss; the one transfer from the device in a round."""
    *checks, loss = torch.cat([result.checks.flatten(), result.loss[None]]).tolist()
    for position, value in enumerate(checks):
        if not math.isfinite(value):
            raise DivergenceError(CHECKED_STAGES[position % len(CHECKED_STAGES)])
    return float(loss)
