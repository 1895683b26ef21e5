"""A training whose clients are other ranks, as the server sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.distributed.clients import Clients
from epsl_opt.backends.distributed.measured import Measured
from epsl_opt.backends.distributed.remote_models import RemoteModels
from epsl_opt.backends.distributed.round_times import RoundTimes
from epsl_opt.backends.pytorch.chain import Chain
from epsl_opt.backends.pytorch.feed import Batch, aggregated_positions
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import RoundOutcome, Scores, TrainingPlan, TrainingSession


class DistributedSession(TrainingSession):
    """Trains as a `TorchSession` does, to the same checkpoints; clients compute on ranks of their own.

    Parameters
    ----------
    plan, options, data, parts, chain
        As of `TorchSession`; of the data, only the test samples are used here.
    clients
        The connections to them.
    clock
        The framework whose round latency applies.

    Attributes
    ----------
    times
        What every round took, from the first that was trained here, by the number of rounds finished before it.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        options: TorchOptions,
        data: Dataset,
        parts: Sequence[IntArray],
        chain: Chain,
        clients: Clients,
        clock: Framework,
    ) -> None:
        def deploy(
            client_side: nn.Sequential, server_side: nn.Sequential, replicas: int, shares: Tensor, options: TorchOptions
        ) -> RemoteModels:
            sample = torch.tensor(data.test_x[:1], device=shares.device)
            batch_size = plan.instance.training.batch_size
            given = (client_side, server_side, replicas, shares, options, clients, sample, batch_size)
            self._remote = RemoteModels(*given)
            return self._remote

        self._plan, self._clients, self._clock = plan, clients, clock
        self.times: dict[int, RoundTimes] = {}
        # What the server knows of a batch before the clients send it.
        batch = Batch(torch.empty(0), torch.empty(0), aggregated_positions(plan))
        self._training = TorchSession(plan, options, data, parts, chain, deploy, lambda _: batch)

    @property
    def measured(self) -> Measured:
        """What the rounds trained here took."""
        return Measured(self._plan, self._clock, self.times)

    def train_round(self) -> RoundOutcome:
        """Train one round; over when the last client has finished."""
        number = self._training.finished_rounds
        with self._attentive():
            outcome = self._training.train_round()
            self.times[number] = self._remote.end_round()
        return outcome

    def evaluate(self) -> Scores:
        """Get the clients' models and score them here."""
        with self._attentive():
            self._remote.collect()
            return self._training.evaluate()

    def save(self, metadata: str) -> bytes:
        """Get the clients' models and return the same safetensors file as without ranks."""
        with self._attentive():
            self._remote.collect()
            return self._training.save(metadata)

    def restore(self, checkpoint: bytes) -> str:
        """Go back to a file that `save` returned, with ranks or without."""
        metadata = self._training.restore(checkpoint)
        self._remote.distribute()
        return metadata

    def describe(self) -> dict[str, object]:
        """Say what is trained on what."""
        return self._training.describe()

    @contextmanager
    def _attentive(self) -> Iterator[None]:
        """Where a launcher ends this process because a client has died, name the client."""
        try:
            yield
        except KeyboardInterrupt:
            self._clients.refuse_dead()
            raise
