"""The torch backend with its training open to be looked into, and to be given a rule that is no option."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch

from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.backends.pytorch.aggregation import Backpropagation
from epsl_opt.backends.pytorch.backend import materials
from epsl_opt.backends.pytorch.models import Batch, Models
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.rounds import RoundResult
from epsl_opt.backends.pytorch.session import TorchSession, held_segments
from epsl_opt.backends.pytorch.split_step import split_step
from epsl_opt.plugins.backend import TrainingPlan

Rule = Callable[[torch.Generator], Backpropagation]


class OpenSession(TorchSession):
    """A training whose parts can be read."""

    @property
    def models(self) -> Models:
        """Client-side and server-side models as they are now."""
        return self._models

    @property
    def test_samples(self) -> torch.Tensor:
        """Samples that are not trained on."""
        return self._test_samples

    @property
    def server_layers(self) -> tuple[str, ...]:
        """Names of the server's segments."""
        return self._chain.names[held_segments(self._plan, self._chain) :]

    def batch(self, finished_rounds: int) -> Batch:
        """Return the batch that follows so many rounds."""
        before, self._finished_rounds = self._finished_rounds, finished_rounds
        try:
            return self._batch()
        finally:
            self._finished_rounds = before

    def use_rule(self, rule: Rule) -> None:
        """Let aggregated positions pass the server by this rule, whatever the options say."""

        def train(models: Models, batch: Batch) -> RoundResult:
            backpropagate = rule(models.generator)
            step = split_step(
                models.clients,
                models.server,
                batch.samples,
                batch.labels,
                models.shares,
                batch.aggregated,
                backpropagate,
            )
            models.step_server()
            models.step_clients()
            return RoundResult(step.loss, step.checks[None], step.uplink_bits, step.downlink_bits)

        self._strategy = dataclasses.replace(self._strategy, train=train)


class StudyBackend(TorchBackend):
    """The torch backend that starts open sessions, with a rule of its own if one is given."""

    def __init__(self, rule: Rule | None = None) -> None:
        self.rule = rule

    def start(self, plan: TrainingPlan, options: TorchOptions) -> OpenSession:
        """Load the data, deal them out, and set the models up, as the torch backend does."""
        session = OpenSession(plan, options, *materials(plan, options))
        if self.rule is not None:
            session.use_rule(self.rule)
        return session
