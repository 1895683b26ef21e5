"""A training under way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.pytorch.chain import Chain
from epsl_opt.backends.pytorch.checkpoint import restore_models, save_models
from epsl_opt.backends.pytorch.devices import ready_device
from epsl_opt.backends.pytorch.evaluation import evaluate
from epsl_opt.backends.pytorch.feed import Feed, on_device
from epsl_opt.backends.pytorch.models import Batch, Models
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.randomness import generators_restored, seed_generators
from epsl_opt.backends.pytorch.rounds import STRATEGIES, ClientSide, RoundResult
from epsl_opt.backends.pytorch.split_step import CHECKED_STAGES
from epsl_opt.backends.pytorch.statistics import explained_batch_norm
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.errors import InputError
from epsl_opt.plugins.backend import DivergenceError, RoundOutcome, Scores, TrainingPlan, TrainingSession


class TorchSession(TrainingSession):
    """Trains one chain of segments on one data set.

    Parameters
    ----------
    plan
        What to train.
    options
        How.
    data
        The samples; they are put on the device.
    parts
        Each client's samples, as indices into the training data.
    chain
        The network with its initial weights.
    """

    def __init__(
        self, plan: TrainingPlan, options: TorchOptions, data: Dataset, parts: Sequence[IntArray], chain: Chain
    ) -> None:
        self._plan, self._options, self._data, self._parts, self._chain = plan, options, data, parts, chain
        self._strategy = STRATEGIES[plan.framework]
        self._device = ready_device(options.device)
        self._test_samples, self._test_labels = on_device(data.test_x, data.test_y, self._device)
        self._models = self._deploy(held_segments(plan, chain))
        self._finished_rounds = 0

    def train_round(self) -> RoundOutcome:
        """Train one round; random draws are a function of seed and round."""
        seed = int(np.random.SeedSequence((self._plan.seed, self._finished_rounds)).generate_state(1)[0])
        self._models.begin_round(self._finished_rounds, seed)
        with generators_restored(self._device):
            seed_generators(seed)
            with explained_batch_norm():
                result = self._strategy.train(self._models, self._batch())
        loss = self._finite_loss(result)
        self._finished_rounds += 1
        return RoundOutcome(loss, result.uplink_bits, result.downlink_bits)

    def evaluate(self) -> Scores:
        """Score every distinct client-side model with the server's."""
        for network in self._models.networks:
            network.eval()
        clients = self._models.clients[:1] if self._strategy.averaged else self._models.clients
        scores = evaluate(clients, self._models.server, self._test_samples, self._test_labels, len(self._data.classes))
        self._models.train()
        return scores

    def save(self, metadata: str) -> bytes:
        """Return a safetensors file."""
        return save_models(self._models, self._finished_rounds, metadata)

    def restore(self, checkpoint: bytes) -> str:
        """Go back to a safetensors file that `save` returned."""
        self._finished_rounds, metadata = restore_models(self._models, checkpoint)
        return metadata

    def describe(self) -> dict[str, Any]:
        """Say what is trained on what."""
        parameters = [sum(p.numel() for p in network.parameters()) for network in self._models.networks]
        return {
            "data": self._data.name,
            "train_samples": len(self._data.train_y),
            "test_samples": len(self._data.test_y),
            "classes": len(self._data.classes),
            "majority_rate": self._data.majority_rate,
            "client_samples": [len(part) for part in self._parts],
            "network": self._chain.name,
            "client_side_parameters": parameters[0],
            "server_side_parameters": parameters[-1],
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }

    @cached_property
    def _feed(self) -> Feed:
        batch_size = self._plan.instance.training.batch_size
        if not self._strategy.pooled:
            return Feed(self._plan, self._options, self._data, self._parts, batch_size)
        pool = [np.concatenate(self._parts)]
        return Feed(self._plan, self._options, self._data, pool, batch_size * len(self._parts))

    def _deploy(self, held: int) -> Models:
        """Copy the chain's parts to where the framework has them."""
        sizes = np.array([len(part) for part in self._parts], dtype=np.float64)
        shares = np.ones(1) if self._strategy.pooled else sizes / sizes.sum()
        return Models(
            self._chain.client_side(held),
            self._chain.server_side(held),
            len(self._parts) if self._strategy.replicated else 1,
            torch.tensor(shares, dtype=torch.float32, device=self._device),
            self._options,
        )

    def _batch(self) -> Batch:
        return self._feed.batch(self._finished_rounds)

    def _finite_loss(self, result: RoundResult) -> float:
        """Return the loss; the one transfer from the device in a round."""
        steps = torch.cat([result.checks.flatten(), result.loss[None]]).tolist()
        for position, value in enumerate(steps[:-1]):
            if not math.isfinite(value):
                raise DivergenceError(CHECKED_STAGES[position % len(CHECKED_STAGES)])
        return float(steps[-1])


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
