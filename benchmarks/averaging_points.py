"""What `averaging.py` trains: ways to train on a task that clients share, on cells that their rounds are priced on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from epsl_opt import Instance, Limits, ScheduleDocument, load_instance, solve
from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.core.framework import Framework
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.request import TrainingRequest
from epsl_opt.training.setup import TrainingSetup, method_name

BACKEND = TorchBackend()
ANY_CUT = "any"
"""The cut layer of frameworks that learn the same wherever the network is cut."""


@dataclass(frozen=True)
class Point:
    """A way to train: framework, EPSL's aggregation ratio, I, where the network is cut, and the learning rate."""

    framework: Framework
    phi: float
    average_every: int | None
    cut_layer: str
    lr: float

    @property
    def name(self) -> str:
        """The point without its learning rate, as people write it."""
        where = "" if self.cut_layer == ANY_CUT else f" at {self.cut_layer}"
        return method_name(self.framework.value, self.phi, self.average_every) + where

    @property
    def learner(self) -> Framework:
        """The framework that is trained for it.

        With one step a round from weights that all share, federated averaging and SplitFed learn the same: the average
        of models after a step of SGD, with momentum or without, is the step of the averaged gradient.
        """
        return Framework.SFL if self.framework is Framework.FL else self.framework


@dataclass(frozen=True)
class Setting:
    """A task with a network, how clients share it, and cells of as many clients with as many samples.

    Parameters
    ----------
    cells
        Scenarios; rounds are counted on the first, since radio decides nothing of what is learned.
    options
        Of the backend, apart from network and learning rate.
    rounds
        At most so many; for vanilla split learning, which steps as often as there are clients in each, a third.
    """

    name: str
    cells: tuple[str, ...]
    target_accuracy: float
    grid: tuple[Point, ...]
    options: dict[str, object] = field(default_factory=dict, hash=False)
    task: str = "digits"
    network: str = "cnn"
    batch_size: int = 16
    rounds: int = 150

    def limit(self, framework: Framework) -> int:
        """Return after how many rounds a training is given up."""
        return self.rounds // 3 if framework is Framework.SL else self.rounds


def averaged(
    framework: Framework,
    phis: tuple[float, ...],
    every: tuple[int, ...],
    cuts: tuple[str, ...],
    rates: tuple[float, ...],
) -> Iterator[Point]:
    """Yield the points of EPSL or PSL with averaged client-side models."""
    for phi, period, cut, lr in itertools.product(phis, every, cuts, rates):
        yield Point(framework, phi, period, cut, lr)


def wherever(framework: Framework, rates: tuple[float, ...]) -> Iterator[Point]:
    """Yield the points of a framework that learns the same at every cut layer."""
    for lr in rates:
        yield Point(framework, 0.0, None, ANY_CUT, lr)


@cache
def fitted_cell(cell: str, task: str, network: str, batch_size: int) -> Instance:
    """Return a scenario's cell with the profile of the network."""
    fitted = BACKEND.fit(load_instance(cell), task, TorchOptions(network=network))
    return fitted.with_training(batch_size=batch_size)


def make_setup(setting: Setting, point: Point, seed: int) -> TrainingSetup:
    """Return a point's training up to the target, tested after every round, or after those that average models."""
    learner = point.learner
    options = {"network": setting.network, "lr": point.lr} | setting.options
    cell = fitted_cell(setting.cells[0], setting.task, setting.network, setting.batch_size)
    cut = cell.model.cut_layers[-1].name if point.cut_layer == ANY_CUT else point.cut_layer
    goal = TrainingGoal(setting.limit(learner), setting.target_accuracy, point.average_every or 1)
    request = TrainingRequest(
        backend=BACKEND,
        options=TorchOptions.model_validate(options),
        task=setting.task,
        framework=learner,
        aggregation_ratio=point.phi if learner is Framework.EPSL else None,
        average_every=point.average_every,
        cut_layers=(cut,),
        seed=seed,
        own_schedule=False,
        goal=goal,
    )
    fitted = request.fit(cell)
    found = solve(fitted.instance, "greedy", Limits())  # subchannels and powers decide nothing of what is learned
    return TrainingSetup(fitted, ScheduleDocument.from_result(fitted.instance, found))
