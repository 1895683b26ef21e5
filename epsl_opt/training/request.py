"""What is to be trained, whatever the instance and the schedule: made once, wherever it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from epsl_opt.core.cut_limits import limit_cuts
from epsl_opt.core.defaults import DEFAULT_CHECKPOINT_EVERY, DEFAULT_TASK
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.framework_choice import check_averaging, choose_framework
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options, parse_options
from epsl_opt.plugins.backend import AnyBackend
from epsl_opt.training.goal import TrainingGoal


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What is to be trained.

    Parameters
    ----------
    backend, options
        Who trains, and its own options (`backend_options` reads them from text).
    task, framework
        What is learned, and how clients and server train together.
    aggregation_ratio, batch_size
        The instance's if None; only EPSL aggregates.
    average_every
        Average the client-side models after every so many rounds, for EPSL and PSL; never if None.
    cut_layers, min_cut
        Limits on the cut layer, by name (see `limit_cuts`).
    seed
        Of the training.
    goal
        When it is at its end.
    own_schedule
        Whether the instance is about the round that is trained, or about that of (E)PSL, whose schedule all then share.
    checkpoint_every
        Rounds from one checkpoint to the next.
    """

    backend: AnyBackend
    options: Options
    task: str = DEFAULT_TASK
    framework: Framework = Framework.EPSL
    aggregation_ratio: float | None = None
    batch_size: int | None = None
    average_every: int | None = None
    cut_layers: tuple[str, ...] | None = None
    min_cut: str | None = None
    seed: int = 0
    own_schedule: bool = True
    goal: TrainingGoal = field(default_factory=TrainingGoal)
    checkpoint_every: int = DEFAULT_CHECKPOINT_EVERY

    def about(self, instance: Instance) -> TrainingRequest:
        """Return the request for the framework, and its averaging, whose round the instance is about."""
        training = instance.training
        every = self.average_every or training.average_every
        return replace(self, framework=training.framework or Framework.EPSL, average_every=every)

    def fit(self, instance: Instance) -> FittedInstance:
        """Make an instance fit for this training.

        Raises
        ------
        InputError
            If there is no such task, network or cut layer, an aggregation ratio is given for another framework than
            EPSL, models can't be averaged as asked for, or a value is out of its range.
        """
        check_averaging(self.framework, self.average_every)
        if self.average_every is not None and not self.backend.averages:
            raise InputError("--average-every", f"is nothing that the backend {self.backend.name} can do")
        asked = self._with_parameters(instance)
        fitted = self.backend.fit(asked, self.task, self.options, self.seed)
        replaced = fitted.sha256 != asked.sha256
        return FittedInstance(self, instance, limit_cuts(fitted, self.cut_layers, self.min_cut), replaced)

    def _with_parameters(self, instance: Instance) -> Instance:
        own = choose_framework(
            instance,
            self.framework,
            self.average_every,
            aggregation_ratio=self.aggregation_ratio,
            batch_size=self.batch_size,
        )
        return own if self.own_schedule else own.with_training(framework=Framework.EPSL)


@dataclass(frozen=True, eq=False)
class FittedInstance:
    """An instance made fit for a training, from which one it was made, and whether its model profile was replaced."""

    request: TrainingRequest
    source: Instance
    instance: Instance
    replaced: bool = False


def ready(backend: AnyBackend) -> AnyBackend:
    """Return a training backend that can train here.

    Raises
    ------
    InputError
        If something must be installed first, naming what.
    """
    if missing := backend.missing():
        raise InputError(f"backend {backend.name}", missing)
    return backend


def backend_options(backend: AnyBackend, options: Mapping[str, object]) -> Options:
    """Validate a backend's options.

    Raises
    ------
    InputError
        Naming the option and what is wrong.
    """
    return parse_options(backend.options_type, options, f"backend {backend.name}")
