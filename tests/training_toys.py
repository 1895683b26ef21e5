"""A small deterministic training backend: logistic regression in NumPy, a checkpoint of JSON; shared by tests."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
from cli_toys import FakeEntry, Steady, small_instance
from pydantic import Field

from epsl_opt import Instance, ScheduleDocument, solve
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import ModelProfile
from epsl_opt.core.options import Options
from epsl_opt.plugins import registry
from epsl_opt.plugins.backend import (
    DivergenceError,
    Measurement,
    RoundOutcome,
    Scores,
    TrainingBackend,
    TrainingPlan,
    TrainingSession,
)
from epsl_opt.plugins.solver import Solver
from epsl_opt.training.request import FittedInstance, TrainingRequest
from epsl_opt.training.setup import TrainingSetup

FEATURES, SAMPLES = 4, 60


class ToyTrainingOptions(Options):
    """Options of the toy."""

    lr: float = Field(default=0.5, gt=0, description="learning rate")
    network: str | None = Field(default=None, description="name of another network, whose profile replaces any")
    diverge_at: int = Field(default=0, description="round that diverges")
    slow_clock: bool = Field(default=False, description="whether epsl is to be timed as psl")


class ToySession(TrainingSession):
    """Learns which side of a plane a point is on; every round draws a batch and has momentum to remember."""

    before_round: ClassVar[Callable[[int], None]] = staticmethod(lambda number: None)
    evaluations: ClassVar[int] = 0

    def __init__(self, plan: TrainingPlan, options: ToyTrainingOptions) -> None:
        self.plan, self.options = plan, options
        self.rng = np.random.default_rng(plan.seed)
        data = np.random.default_rng(7)
        self.x = data.normal(size=(SAMPLES, FEATURES))
        self.y = (self.x @ np.arange(1, FEATURES + 1) > 0.3).astype(float)
        self.weights, self.velocity, self.round = np.zeros(FEATURES), np.zeros(FEATURES), 0

    def train_round(self) -> RoundOutcome:
        """Take one step on a batch; each framework differs a little."""
        self.round += 1
        self.before_round(self.round)
        if self.round == self.options.diverge_at:
            raise DivergenceError("server forward")
        rows = self.rng.integers(0, SAMPLES, self.plan.instance.training.batch_size)
        chance = 1 / (1 + np.exp(-self.x[rows] @ self.weights))
        loss = -np.mean(np.log(np.where(self.y[rows] == 1, chance, 1 - chance)))
        shrink = 1 - 0.5 * self.plan.instance.training.aggregation_ratio - 0.1 * self.plan.schedule.cut_layer
        gradient = shrink * self.x[rows].T @ (chance - self.y[rows]) / len(rows)
        self.velocity = 0.9 * self.velocity - self.options.lr * gradient
        self.weights = self.weights + self.velocity
        if self.plan.average_every is not None and self.round % self.plan.average_every == 0:
            self.weights = self.weights / 2
        return RoundOutcome(float(loss), 1000 + len(rows), 100 * self.round)

    def evaluate(self) -> Scores:
        """Return the fraction on the right side."""
        type(self).evaluations += 1
        right = float(np.mean((self.x @ self.weights > 0) == self.y))
        return Scores(right, right / 2)

    def save(self, metadata: str) -> bytes:
        """Write everything as JSON."""
        state = {"weights": self.weights.tolist(), "velocity": self.velocity.tolist(), "round": self.round}
        return json.dumps({"metadata": metadata, "rng": self.rng.bit_generator.state, **state}).encode()

    def restore(self, checkpoint: bytes) -> str:
        """Read it back."""
        try:
            state: dict[str, Any] = json.loads(checkpoint)
        except ValueError as error:
            raise InputError("checkpoint", "is no toy") from error
        self.weights, self.velocity = np.array(state["weights"]), np.array(state["velocity"])
        self.round, self.rng.bit_generator.state = state["round"], state["rng"]
        metadata: str = state["metadata"]
        return metadata

    def describe(self) -> dict[str, Any]:
        """Describe the data."""
        return {"majority_rate": float(max(self.y.mean(), 1 - self.y.mean())), "samples": SAMPLES}


class ToyBackend(TrainingBackend[ToyTrainingOptions]):
    """Trains the toy."""

    name = "toy"
    summary = "learns a plane"
    checkpoint_suffix = ".toy"
    options_type = ToyTrainingOptions
    averages = True
    starts: ClassVar[list[TrainingPlan]] = []

    def missing(self) -> str | None:
        """Miss nothing."""
        return None

    def tasks(self) -> dict[str, str]:
        """Name the only task."""
        return {"plane": "which side of a plane"}

    def fit(self, instance: Instance, task: str, options: ToyTrainingOptions, seed: int = 0) -> Instance:
        """Give the instance another network's profile if one is asked for."""
        if task not in self.tasks():
            raise InputError("task", f"unknown name {task!r}")
        if options.network is None or instance.model.name == options.network:
            return instance
        return instance.replace(model=instance.model.model_copy(update={"name": options.network}))

    def start(self, plan: TrainingPlan, options: ToyTrainingOptions) -> TrainingSession:
        """Begin."""
        type(self).starts.append(plan)
        return ToySession(plan, options)

    def clock(self, framework: Framework, options: ToyTrainingOptions) -> Framework:
        """Time epsl as psl if asked to."""
        return Framework.PSL if options.slow_clock and framework is Framework.EPSL else framework

    def profile(self, network: str, input_shape: tuple[int, ...], classes: int) -> ModelProfile:
        """Know no network."""
        raise InputError("network", f"unknown name {network!r}")

    def measure(self, network: str, input_shape: tuple[int, ...], classes: int, batch_size: int) -> Measurement:
        """Know no network."""
        raise InputError("network", f"unknown name {network!r}")


class Absent(ToyBackend):
    """Lacks a package."""

    name = "absent"

    def missing(self) -> str | None:
        """Say what to install."""
        return 'torch not installed; pip install "epsl-opt[torch]"'


class NotANumber(ToyBackend):
    """Gives a loss that is not finite, and does not notice."""

    name = "nan"

    def start(self, plan: TrainingPlan, options: ToyTrainingOptions) -> TrainingSession:
        """Begin."""
        session = ToySession(plan, options)
        session.train_round = lambda: RoundOutcome(math.nan, 0, 0)  # type: ignore[method-assign]
        return session


def register_training_toys(monkeypatch: pytest.MonkeyPatch, *solvers: type[Solver[Any]]) -> None:
    """Make the toys the only training backends, `toy` the default, and these the only solvers."""
    genuine = registry._entries
    groups: dict[str, dict[str, Any]] = {
        registry.BACKENDS: {kind.name: FakeEntry(kind) for kind in (ToyBackend, Absent, NotANumber)},
        registry.SOLVERS: {kind.name: FakeEntry(kind) for kind in solvers},
    }
    monkeypatch.setattr(registry, "_entries", lambda group: groups.get(group) or genuine(group))
    monkeypatch.setattr(ToyBackend, "starts", [])


def toy_setup(
    plan: TrainingPlan | None = None, document: ScheduleDocument | None = None, **asked: Any
) -> TrainingSetup:
    """Return the training of a plan, by default the small instance's; `asked` goes into the request."""
    if plan is None or document is None:
        plan, document = toy_plan()
    given = {"backend": ToyBackend(), "options": ToyTrainingOptions()} | asked
    asked_by_plan = {"framework": plan.framework, "average_every": plan.average_every}
    request = TrainingRequest(task=plan.task, seed=plan.seed, **asked_by_plan | given)
    return TrainingSetup(FittedInstance(request, plan.instance, plan.instance), document)


def toy_plan(
    framework: Framework = Framework.EPSL, seed: int = 0, **shape: int
) -> tuple[TrainingPlan, ScheduleDocument]:
    """Return a plan on the small instance, and the document of its schedule."""

    instance = small_instance(**shape)
    if framework is not Framework.EPSL:
        instance = instance.with_training(aggregation_ratio=0.0)
    document = ScheduleDocument.from_result(instance, solve(instance, Steady()))
    schedule = document.schedule()
    assert schedule is not None
    return TrainingPlan(instance, schedule, framework, "plane", seed), document
