"""Options that `train` and `compare --train` share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from epsl_opt.cli.numbers import COUNT, Real, listed, plain
from epsl_opt.cli.params import CommandT
from epsl_opt.core.defaults import (
    DEFAULT_BACKEND,
    DEFAULT_CHECKPOINT_EVERY,
    DEFAULT_EVALUATE_EVERY,
    DEFAULT_ROUNDS,
    DEFAULT_ROUNDS_TO_TARGET,
    DEFAULT_TASK,
)
from epsl_opt.core.framework import Framework
from epsl_opt.core.plain_text import shown

if TYPE_CHECKING:
    from epsl_opt.plugins.backend import AnyBackend
    from epsl_opt.training.goal import TrainingGoal
    from epsl_opt.training.request import TrainingRequest

FRAMEWORKS = tuple(framework.value for framework in Framework)


@dataclass(frozen=True, kw_only=True)
class TrainingArguments:
    """What `train` and `compare --train` take alike, as it is on the command line; None is the default."""

    cut_layers: tuple[str, ...] | None
    min_cut: str | None
    task: str | None
    network: str | None
    batch_size: int | None
    average_every: int | None
    rounds: int | None
    target_accuracy: float | None
    evaluate_every: int | None
    checkpoint_every: int | None
    backend: str | None = None

    def shared_request(self, options: Mapping[str, str], backend: AnyBackend | None = None) -> TrainingRequest:
        """Return what is to be trained; the backend is the one that the user named if none is given.

        Raises
        ------
        click.UsageError, InputError
            Naming the option with a bad value, or what must be installed first.
        """
        from epsl_opt.plugins.registry import load_backend
        from epsl_opt.training.request import TrainingRequest, backend_options, ready

        goal = self._goal()
        trainer = ready(load_backend(self.backend or DEFAULT_BACKEND) if backend is None else backend)
        return TrainingRequest(
            backend=trainer,
            options=backend_options(trainer, options),
            task=self.task or DEFAULT_TASK,
            batch_size=self.batch_size,
            average_every=self.average_every,
            cut_layers=self.cut_layers,
            min_cut=self.min_cut,
            goal=goal,
            checkpoint_every=self.checkpoint_every or DEFAULT_CHECKPOINT_EVERY,
        )

    def _goal(self) -> TrainingGoal:
        """Return when to stop; with a target accuracy there are more rounds by default."""
        from epsl_opt.training.goal import TrainingGoal

        rounds = self.rounds or (DEFAULT_ROUNDS if self.target_accuracy is None else DEFAULT_ROUNDS_TO_TARGET)
        try:
            return TrainingGoal(rounds, self.target_accuracy, self.evaluate_every or DEFAULT_EVALUATE_EVERY)
        except ValueError as error:
            field, _, problem = str(error).partition(" ")
            raise click.UsageError(f"--{field.replace('_', '-')} {problem}") from error


@dataclass(frozen=True, kw_only=True)
class CompareTrainArguments(TrainingArguments):
    """What `compare` takes for `--train`, as it is on the command line; None is the default."""

    frameworks: tuple[str, ...] | None
    phi: tuple[float, ...] | None
    train_seeds: tuple[int, ...] | None
    same_schedule: bool


class FrameworkList(click.ParamType):  # type: ignore[type-arg]
    """Frameworks between commas; a list in a configuration file is taken as it is."""

    name = "frameworks"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the frameworks in the order given."""
        parts = [str(part).strip() for part in listed(value)]
        for part in parts:
            if part not in FRAMEWORKS:
                self.fail(f"{shown(part)} is none of {', '.join(FRAMEWORKS)}", param, ctx)
        return tuple(dict.fromkeys(parts))


class RatioList(click.ParamType):  # type: ignore[type-arg]
    """Aggregation ratios as `0.5,1`."""

    name = "ratios"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Return the ratios in the order given."""
        try:
            return tuple(dict.fromkeys(float(plain(part)) for part in listed(value)))
        except (ValueError, OverflowError):
            self.fail(f"must look like 0.5,1, got {shown(value)}", param, ctx)


def training_options(command: CommandT) -> CommandT:
    """Add what says how to train, whatever the framework; what is not given is None."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def complete_backend(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a training backend's name."""
    from epsl_opt.plugins import registry

    return [CompletionItem(name) for name in registry.names(registry.BACKENDS) if name.startswith(incomplete)]


def is_training(owner: str) -> bool:
    """Return whether options are for trainings, not for a solver."""
    from epsl_opt.training.variants import FOR_ALL

    return owner.partition(".")[0] == FOR_ALL


_TASK_HELP = f"What to learn [default: {DEFAULT_TASK}; in train --schedule what that is for]."
_AVERAGE_HELP = "Average the client-side models of epsl and psl after every I-th round [default: never]."
_ROUNDS_HELP = f"At most so many [default: {DEFAULT_ROUNDS}; with a target {DEFAULT_ROUNDS_TO_TARGET}]."
_EVALUATE_HELP = f"Rounds between evaluations [default: {DEFAULT_EVALUATE_EVERY}]."
_CHECKPOINT_HELP = f"Rounds between checkpoints [default: {DEFAULT_CHECKPOINT_EVERY}]."

_OPTIONS = (
    click.option("-t", "--task", metavar="NAME", help=_TASK_HELP),
    click.option("--network", metavar="NAME", help="What to train [default: the task's own]."),
    click.option("-b", "--batch-size", type=COUNT, metavar="B", help="Samples per client [default: the instance's]."),
    click.option("--average-every", type=COUNT, metavar="I", help=_AVERAGE_HELP),
    click.option("-n", "--rounds", type=COUNT, metavar="N", help=_ROUNDS_HELP),
    click.option("--target-accuracy", type=Real(), metavar="A", help="End when an evaluation reaches this fraction."),
    click.option("--evaluate-every", type=COUNT, metavar="K", help=_EVALUATE_HELP),
    click.option("--checkpoint-every", type=COUNT, metavar="N", help=_CHECKPOINT_HELP),
    click.option(
        "--backend", metavar="NAME", shell_complete=complete_backend, help=f"Who trains [default: {DEFAULT_BACKEND}]."
    ),
)
