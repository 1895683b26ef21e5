"""A training whose clients are other ranks, as the server sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.distributed.clients import Clients
from epsl_opt.backends.distributed.measured import Measured
from epsl_opt.backends.distributed.remote_models import RemoteModels
from epsl_opt.backends.distributed.remote_sides import Rows
from epsl_opt.backends.distributed.round_times import RoundTimes
from epsl_opt.backends.pytorch.chain import Chain
from epsl_opt.backends.pytorch.models import Batch
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import RoundOutcome, Scores, TrainingPlan


class DistributedSession(TorchSession):
    """Trains as `TorchSession` does, to the same checkpoints; clients compute on ranks of their own.

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
        self._clients, self._clock = clients, clock
        self.times: dict[int, RoundTimes] = {}
        super().__init__(plan, options, data, parts, chain)

    @property
    def measured(self) -> Measured:
        """What the rounds trained here took."""
        return Measured(self._plan, self._clock, self.times)

    def train_round(self) -> RoundOutcome:
        """Train one round; over when the last client has finished."""
        number = self._finished_rounds
        with self._attentive():
            outcome = super().train_round()
            self.times[number] = self._remote.end_round()
        return outcome

    def evaluate(self) -> Scores:
        """Get the clients' models and score them here."""
        with self._attentive():
            self._remote.collect()
            return super().evaluate()

    def save(self, metadata: str) -> bytes:
        """Get the clients' models and return the same safetensors file as without ranks."""
        with self._attentive():
            self._remote.collect()
            return super().save(metadata)

    def restore(self, checkpoint: bytes) -> str:
        """Go back to a file that `save` returned, with ranks or without."""
        metadata = super().restore(checkpoint)
        self._remote.distribute()
        return metadata

    def _deploy(self, held: int) -> RemoteModels:
        client_side, server_side = self._chain.client_side(held), self._chain.server_side(held)
        sizes = np.array([len(part) for part in self._parts], dtype=np.float64)
        shares = torch.tensor(sizes / sizes.sum(), dtype=torch.float32, device=self._device)
        client_side.to(self._device).eval()
        with torch.no_grad():
            row = client_side(self._test_samples[:1])[0]
        trained = any(parameter.requires_grad for parameter in client_side.parameters())
        rows = Rows(self._plan.instance.training.batch_size, tuple(row.shape), trained, self._device)
        replicas = len(self._parts) if self._strategy.replicated else 1
        self._remote = RemoteModels(client_side, server_side, replicas, shares, self._options, self._clients, rows)
        return self._remote

    def _batch(self) -> Batch:
        """Return what the server knows of a batch before the clients send it: how many positions are aggregated."""
        plan, nothing = self._plan, torch.empty(0)
        return Batch(nothing, nothing, plan.instance.aggregated_samples if plan.framework is Framework.EPSL else 0)

    @contextmanager
    def _attentive(self) -> Iterator[None]:
        """Where a launcher ends this process because a client has died, name the client."""
        try:
            yield
        except KeyboardInterrupt:
            self._clients.refuse_dead()
            raise
