"""Options that `train` and `compare --train` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from epsl_opt.cli.numbers import COUNT, Real, listed
from epsl_opt.core.defaults import (
    DEFAULT_CHECKPOINT_EVERY,
    DEFAULT_EVALUATE_EVERY,
    DEFAULT_ROUNDS,
    DEFAULT_ROUNDS_TO_TARGET,
)
from epsl_opt.core.framework import Framework
from epsl_opt.core.plain_text import shown

if TYPE_CHECKING:
    from epsl_opt.training.run import TrainingGoal

FRAMEWORKS = tuple(framework.value for framework in Framework)

DEFAULT_FRAMEWORKS = ("epsl", "psl", "sfl", "sl", "fl")
"""What `compare --train` trains."""

DEFAULT_BACKEND, DEFAULT_TASK = "torch", "digits"

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


class FrameworkList(click.ParamType):  # type: ignore[type-arg]
    """Frameworks between commas; a list in a configuration file is taken as it is."""

    name = "frameworks"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the frameworks in the order given."""
        parts = [str(part).strip() for part in listed(value)]
        for part in parts:
            if part not in FRAMEWORKS:
                self.fail(f"{shown(part)} is none of {', '.join(FRAMEWORKS)}", param, ctx)
        return tuple(dict.fromkeys(parts))


class RatioList(click.ParamType):  # type: ignore[type-arg]
    """Aggregation ratios as `0.5,1`."""

    name = "ratios"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Return the ratios in the order given."""
        try:
            return tuple(dict.fromkeys(float(part) for part in listed(value)))
        except (TypeError, ValueError, OverflowError):
            self.fail(f"must look like 0.5,1, got {shown(value)}", param, ctx)


def training_options(command: CommandT) -> CommandT:
    """Add what says how to train, whatever the framework; what is not given is None."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def make_goal(rounds: int | None, target_accuracy: float | None, evaluate_every: int | None) -> TrainingGoal:
    """Return when to stop training; with a target accuracy there are more rounds by default.

    Raises
    ------
    click.UsageError
        Naming the option with a bad value.
    """
    from epsl_opt.training.run import TrainingGoal

    default_rounds = DEFAULT_ROUNDS if target_accuracy is None else DEFAULT_ROUNDS_TO_TARGET
    try:
        return TrainingGoal(rounds or default_rounds, target_accuracy, evaluate_every or DEFAULT_EVALUATE_EVERY)
    except ValueError as error:
        field, _, problem = str(error).partition(" ")
        raise click.UsageError(f"--{field.replace('_', '-')} {problem}") from error


def checkpoint_rounds(checkpoint_every: int | None) -> int:
    """Return how many rounds lie between checkpoints."""
    return checkpoint_every or DEFAULT_CHECKPOINT_EVERY


def split_options(pairs: Sequence[str], network: str | None) -> dict[str, str]:
    """Return the backend's options as text, `--network` among them.

    Raises
    ------
    InputError
        If an option has no value or comes twice.
    """
    from epsl_opt.core.options import split_pairs

    return split_pairs([*pairs, *([] if network is None else [f"network={network}"])], "train")


def complete_backend(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a training backend's name."""
    from epsl_opt.plugins import registry

    return [CompletionItem(name) for name in registry.names(registry.BACKENDS) if name.startswith(incomplete)]


def is_training(owner: str) -> bool:
    """Return whether options are for trainings, not for a solver."""
    from epsl_opt.training.cases import FOR_ALL

    return owner.partition(".")[0] == FOR_ALL


_OPTIONS = (
    click.option("-t", "--task", metavar="NAME", help=f"What to learn [default: {DEFAULT_TASK}]."),
    click.option("--network", metavar="NAME", help="What to train [default: the task's own]."),
    click.option("-b", "--batch-size", type=COUNT, metavar="B", help="Samples per client [default: the instance's]."),
    click.option("-n", "--rounds", type=COUNT, metavar="N", help="At most so many [default: 200; with a target 1000]."),
    click.option("--target-accuracy", type=Real(), metavar="A", help="End when an evaluation reaches this fraction."),
    click.option("--evaluate-every", type=COUNT, metavar="K", help="Rounds between evaluations [default: 10]."),
    click.option("--checkpoint-every", type=COUNT, metavar="N", help="Rounds between checkpoints [default: 50]."),
    click.option(
        "--backend", metavar="NAME", shell_complete=complete_backend, help=f"Who trains [default: {DEFAULT_BACKEND}]."
    ),
)
